use super::*;
use crate::testing::prediction;

const SECOND: i64 = 1_000_000;

/// A picture of stripes whose hash depends on `seed`.
fn image(seed: u8) -> RgbImage {
    let cell = |x: u32, y: u32| {
        (x * 7 + y * 13)
            .wrapping_mul(u32::from(seed) * 2 + 1)
            .wrapping_mul(0x9e37_79b1)
            >> 24
    };
    let pixels = (0..64 * 72).flat_map(|i| [cell(i % 72 / 8, i / 72 / 8) as u8; 3]);
    RgbImage::new(72, 64, pixels.collect()).unwrap()
}

fn check(limits: &mut Limits, at: i64, seed: u8, label: &str) -> Result<(), LimitKind> {
    let now = LimitTime(at);
    let passed = limits.check(now, &image(seed), &prediction(&[(label, 0.9)]));
    passed.and_then(|()| limits.take_quota(now))
}

#[test]
fn quotas_follow_the_clock_and_the_total_never_ends() {
    let options = LimitOptions {
        max_per_minute: Some(2),
        max_per_hour: Some(3),
        max_total: Some(4),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    let mut passes = |minute: i64| check(&mut limits, minute * 60 * SECOND, 0, "a").is_ok();
    assert_eq!([0, 0, 0].map(&mut passes), [true, true, false]);
    assert_eq!([1, 1].map(&mut passes), [true, false]);
    assert_eq!([60, 60, 6_000].map(&mut passes), [true, false, false]);
}

#[test]
fn a_label_rests_between_two_images() {
    let options = LimitOptions {
        min_seconds_per_label: Some(10.0),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    let mut passes = |second: i64, label| check(&mut limits, second * SECOND, 0, label).is_ok();
    assert!(passes(0, "cat") && passes(1, "dog"));
    assert!(!passes(9, "cat") && passes(10, "cat") && !passes(10, "dog") && passes(11, "dog"));
}

#[test]
fn near_duplicates_are_held_back_and_others_pass() {
    let options = LimitOptions {
        near_duplicates: Some(NearDuplicateOptions::default()),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    assert!(check(&mut limits, 0, 1, "a").is_ok());
    let mut brighter = image(1);
    for value in brighter.data_mut() {
        *value = value.saturating_add(3);
    }
    let again = limits.check(LimitTime(1), &brighter, &prediction(&[("a", 0.9)]));
    assert_eq!(again, Err(LimitKind::NearDuplicate));
    assert!(check(&mut limits, 2, 5, "a").is_ok());
}

#[test]
fn what_a_limit_holds_back_uses_up_no_other() {
    let options = LimitOptions {
        max_frames_per_second: Some(1.0),
        min_seconds_per_label: Some(1.5),
        max_total: Some(2),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    assert_eq!(check(&mut limits, 0, 0, "a"), Ok(()));
    assert_eq!(check(&mut limits, SECOND / 2, 0, "b"), Err(LimitKind::Rate));
    assert_eq!(
        check(&mut limits, SECOND, 0, "a"),
        Err(LimitKind::LabelInterval)
    );
    assert_eq!(check(&mut limits, SECOND, 0, "b"), Ok(()));
    assert_eq!(
        check(&mut limits, 9 * SECOND, 0, "c"),
        Err(LimitKind::Quota)
    );
}

#[test]
fn what_limits_remember_survives_a_restart() {
    let options = LimitOptions {
        max_frames_per_second: Some(1.0),
        min_seconds_per_label: Some(5.0),
        near_duplicates: Some(NearDuplicateOptions::default()),
        max_total: Some(2),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    assert_eq!(check(&mut limits, 10 * SECOND, 1, "a"), Ok(()));
    let text = limits.remember(None);
    let again = || Limits::new(&options, Some(&text));
    assert_eq!(again().last_time(), 10 * SECOND);
    assert_eq!(
        check(&mut again(), 10 * SECOND, 5, "b"),
        Err(LimitKind::Rate)
    );
    assert_eq!(
        check(&mut again(), 12 * SECOND, 5, "a"),
        Err(LimitKind::LabelInterval)
    );
    assert_eq!(
        check(&mut again(), 12 * SECOND, 1, "b"),
        Err(LimitKind::NearDuplicate)
    );
    let mut limits = again();
    assert_eq!(check(&mut limits, 12 * SECOND, 5, "b"), Ok(()));
    assert_eq!(
        check(&mut limits, 20 * SECOND, 9, "c"),
        Err(LimitKind::Quota)
    );
    assert_eq!(Limits::new(&options, Some("not JSON")).last_time(), 0);
}

#[test]
fn the_best_of_a_window_are_kept_in_their_order() {
    let options = BestOfOptions {
        keep: 2,
        window_seconds: 1.0,
    };
    let mut best = BestOf::new(options);
    let offers = [
        (0.5, Offer::Held),
        (0.4, Offer::Held),
        (0.4, Offer::Refused),
    ];
    let better = [
        (0.9, Offer::HeldForAnother(1)),
        (0.5, Offer::Refused),
        (0.6, Offer::HeldForAnother(0)),
    ];
    for (i, (score, expected)) in offers.into_iter().chain(better).enumerate() {
        assert_eq!(best.offer(LimitTime(0), score, i), expected, "{i}");
    }
    assert!(best.close_if_over(LimitTime(SECOND - 1)).is_empty());
    assert_eq!(best.close_if_over(LimitTime(SECOND)), [3, 5]);
    assert_eq!(best.candidates().count(), 0);
    assert!(best.close_if_over(LimitTime(SECOND * 9)).is_empty());
}

#[test]
fn options_out_of_range_are_refused() {
    let with = |rate| LimitOptions {
        max_frames_per_second: Some(rate),
        ..LimitOptions::default()
    };
    assert!(with(0.0).check().is_err() && with(f64::NAN).check().is_err());
    assert!(with(0.1).check().is_ok());
}

#[test]
fn what_one_limit_holds_back_is_remembered_by_no_other() {
    let options = LimitOptions {
        near_duplicates: Some(NearDuplicateOptions::default()),
        same_object: Some(SameObjectOptions {
            seconds: 10.0,
            ..SameObjectOptions::default()
        }),
        ..LimitOptions::default()
    };
    let mut limits = Limits::new(&options, None);
    let mut check = |second: i64, seed: u8, features: [f32; 2]| {
        let mut shown = prediction(&[("a", 0.9)]);
        shown.activations.features = Some(features.into());
        limits.check(LimitTime(second * SECOND), &image(seed), &shown)
    };
    let (cat, dog) = ([1.0, 0.0], [0.0, 1.0]);
    assert_eq!(check(0, 1, cat), Ok(()));
    // Another picture of the cat, and then the same picture of a dog.
    assert_eq!(check(1, 5, cat), Err(LimitKind::SameObject));
    assert_eq!(check(2, 5, dog), Ok(()));
    // Near-duplicates keep the cat in view.
    for second in [8, 16, 24] {
        assert_eq!(check(second, 1, cat), Err(LimitKind::NearDuplicate));
    }
    assert_eq!(check(30, 9, cat), Err(LimitKind::SameObject));
}
