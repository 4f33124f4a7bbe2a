use super::*;

fn read(entries: &[(&str, &str)]) -> Result<TaskConfig, TaskError> {
    let owned = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    TaskConfig::from_model_info(&owned.collect())
}

#[test]
fn silence_means_the_defaults_of_the_family() {
    let plain = read(&[]).unwrap();
    assert_eq!(plain.model_type, ModelType::Unknown);
    assert!((plain.confidence_threshold, plain.nms_execute) == (0.5, false));
    let yolo = read(&[("model_type", "YOLOv8"), ("confidence_threshold", "None")]).unwrap();
    assert!((yolo.confidence_threshold, yolo.nms_execute) == (0.25, true));
    assert_eq!(yolo.resize, ResizeType::FitToWindowLetterbox);
}

#[test]
fn lists_are_split_at_blanks() {
    let config = read(&[
        ("labels", "otx_empty_lbl old_coin"),
        ("label_ids", "None 6f"),
    ])
    .unwrap();
    assert_eq!(config.labels, ["otx_empty_lbl", "old_coin"]);
    assert_eq!(config.label_ids, [None, Some("6f".to_owned())]);
}

#[test]
fn tiling_needs_a_tile_size_only() {
    assert_eq!(read(&[("tiles_overlap", "0.3")]).unwrap().tiling, None);
    let tiling = read(&[("tile_size", "256"), ("iou_threshold", "0.6")])
        .unwrap()
        .tiling
        .unwrap();
    assert!(tiling.tile_size == 256 && tiling.with_full_image);
    assert!((tiling.tiles_overlap, tiling.iou_threshold) == (0.5, 0.6));
}

#[test]
fn what_cannot_be_used_is_named() {
    struct Case(&'static str, &'static str);
    for Case(key, value) in [
        Case("model_type", "sam_decoder"),
        Case("resize_type", "stretch"),
        Case("confidence_threshold", "high"),
        Case("confidence_threshold", "nan"),
        Case("nms_execute", "maybe"),
        Case("nms_max_predictions", "-1"),
        Case("topk", "1.5"),
        Case("blur_strength", "0"),
        Case("normalization_scale", "0"),
        Case("tile_size", "0"),
    ] {
        let error = read(&[(key, value)]).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
    let standstill = read(&[("tile_size", "2"), ("tiles_overlap", "0.9")]).unwrap_err();
    assert!(standstill.to_string().contains("tiles_overlap"));
}

#[test]
fn a_broken_hierarchy_is_refused() {
    const GOOD: &str = r#"{"cls_heads_info":{"num_multiclass_heads":1,
        "head_idx_to_logits_range":{"0":[0,2]},"all_groups":[["a","b"]],
        "label_to_idx":{"a":0,"b":1}},"label_tree_edges":[["b","a"]]}"#;
    struct Case(&'static str, &'static str);
    for Case(from, to) in [
        Case("{", "["),
        Case("[0,2]", "[0,3]"),
        Case("\"0\":", "\"1\":"),
        Case("\"b\":1", "\"c\":1"),
        Case("[[\"b\",\"a\"]]", "[[\"b\",\"a\"],[\"a\",\"b\"]]"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        let entries = [("hierarchical", "True"), (KEY, text.as_str())];
        assert!(read(&entries).is_err(), "{text}");
    }
    assert!(
        read(&[("hierarchical", "True"), (KEY, GOOD)])
            .unwrap()
            .hierarchy
            .is_some()
    );
    assert!(read(&[("hierarchical", "True")]).is_err());
}

const KEY: &str = "hierarchical_config";
