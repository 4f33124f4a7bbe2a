use std::path::Path;

use super::*;
use crate::queue::Overflow;

const SDK_FILE: &str = r#"{"post_inference_hooks":[{"PostInferenceHook":{
  "trigger":{"ObjectCountTrigger":{"threshold":2,"label_names":null,"mode":"greater"}},
  "action":{"FileSystemDataCollection":{"target_folder":"data","file_name_prefix":"","save_predictions":true,"save_scores":true,"save_overlays":true,"log_level":"debug"}},
  "max_threads":10,"limit_action_rate":true,"max_frames_per_second":1,"queue_limit":7}}]}"#;

fn parse(text: &str) -> Result<Vec<HookConfig>, ConfigError> {
    parse_hooks(text, Path::new("hook_config.json"))
}

#[test]
fn a_file_of_the_python_sdk_is_read() {
    let hooks = parse(SDK_FILE).unwrap();
    let [hook] = hooks.as_slice() else {
        panic!("{hooks:?}")
    };
    assert_eq!(hook.max_threads, 10);
    assert_eq!(hook.limits.max_frames_per_second, Some(1.0));
    let options = hook.options();
    assert_eq!(
        (options.queue_size, options.when_full),
        (Some(7), Overflow::Wait)
    );
    let built = hook.build(&BuildContext::default()).unwrap();
    assert_eq!(built.trigger().name(), "ObjectCountTrigger");
    assert_eq!(HookConfig::of(&built).unwrap(), *hook);
}

#[test]
fn what_is_written_reads_back_and_is_written_the_same() {
    let hooks = parse(SDK_FILE).unwrap();
    let written = render_hooks(&hooks).unwrap();
    assert_eq!(parse(&written).unwrap(), hooks);
    assert_eq!(render_hooks(&parse(&written).unwrap()).unwrap(), written);
}

#[test]
fn the_part_of_the_sdk_holds_what_the_sdk_wrote() {
    let written = render_hooks(&parse(SDK_FILE).unwrap()).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    let mut expected: serde_json::Value = serde_json::from_str(SDK_FILE).unwrap();
    expected["post_inference_hooks"][0]["PostInferenceHook"]["max_frames_per_second"] = 1.0.into();
    assert_eq!(
        written["post_inference_hooks"],
        expected["post_inference_hooks"]
    );
}

/// The SDK hands every key to its constructor: one that it does not know ends the loading.
#[test]
fn a_request_for_the_sdk_has_the_arguments_of_its_constructor() {
    let hook = r#"{"trigger":{"AlwaysTrigger":{}},"action":{"HttpRequestAction":{
        "url":"http://h/","method":"POST","body":"cloud_event","include_picture":true,
        "timeout_seconds":3,"ca_file":"ca.pem"}}}"#;
    let hook: HookConfig = serde_json::from_str(hook).unwrap();
    let written = render_hooks(std::slice::from_ref(&hook)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    let action = &value["post_inference_hooks"][0]["PostInferenceHook"]["action"];
    let action = action["HttpRequestAction"].as_object().unwrap();
    let keys: Vec<&str> = action.keys().map(String::as_str).collect();
    let expected = [
        "headers",
        "include_prediction_data",
        "log_level",
        "method",
        "url",
    ];
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(parse(&written).unwrap(), [hook]);
}

#[test]
fn hooks_that_the_sdk_does_not_know_stay_out_of_its_part() {
    let hook = r#"{"trigger":{"OODTrigger":{"threshold":0.5}},
        "action":{"FileSystemDataCollection":{"target_folder":"x"}}}"#;
    let hook: HookConfig = serde_json::from_str(hook).unwrap();
    let written = render_hooks(std::slice::from_ref(&hook)).unwrap();
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(value["post_inference_hooks"], serde_json::json!([]));
    assert_eq!(parse(&written).unwrap(), [hook]);
}

#[test]
fn errors_name_line_and_column_and_the_way_out() {
    struct Case<'a>(&'a str, &'a str);
    for Case(text, expected) in [
        Case("{", "hook_config.json, line 1, column 1: EOF"),
        Case(
            "{\"post_inference_hooks\": [\n{\"PostInferenceHook\": {\"trigger\": {\"NoTrigger\": {}}}}]}",
            "line 2, column 46: unknown variant `NoTrigger`",
        ),
        Case(
            &SDK_FILE.replace("\"threshold\"", "\"treshold\""),
            "line 2, column 45: unknown field `treshold`",
        ),
        Case(
            r#"{"straylight": {"version": 2, "hooks": [{"new": 1}]}}"#,
            "use a newer Straylight",
        ),
        Case(
            r#"{"straylight": {"version": 1, "hooks": []}, "post_inference_hooks": [{"PostInferenceHook": {"trigger": {"AlwaysTrigger": {}}, "action": {"FileSystemDataCollection": {"target_folder": "x"}}}}]}"#,
            "disagree",
        ),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn unmet_needs_and_bad_values_are_errors() {
    for (trigger, expected) in [
        (r#"{"OODTrigger":{}}"#, "fit one and save it"),
        (
            r#"{"ConfidenceTrigger":{"threshold":1.5}}"#,
            "1.5 is not in 0..=1",
        ),
    ] {
        let trigger: TriggerConfig = serde_json::from_str(trigger).unwrap();
        let error = trigger
            .build(&BuildContext::default())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_of_certificates_are_kept_with_every_action_that_encrypts() {
    for action in [
        r#"{"HttpRequestAction":{"url":"https://h/","ca_file":"ca.pem"}}"#,
        r#"{"S3Collection":{"bucket":"b","ca_file":"ca.pem"}}"#,
        r#"{"MqttPublish":{"host":"h","tls":true,"ca_file":"ca.pem","topic":"t"}}"#,
        r#"{"GetiDataCollection":{"session":{"host":"https://h","ca_file":"ca.pem"},"project":"p"}}"#,
    ] {
        let hook = format!(r#"{{"trigger":{{"AlwaysTrigger":{{}}}},"action":{action}}}"#);
        let hook: HookConfig = serde_json::from_str(&hook).unwrap();
        let written = render_hooks(std::slice::from_ref(&hook)).unwrap();
        assert!(written.contains(r#""ca_file": "ca.pem""#), "{written}");
        assert_eq!(parse(&written).unwrap(), [hook]);
    }
}

/// Without the features; with them the compliance suite builds these actions.
#[cfg(not(any(feature = "s3", feature = "mqtt")))]
#[test]
fn an_action_that_is_not_compiled_in_is_an_error_that_names_the_feature() {
    for (action, expected) in [
        (r#"{"S3Collection":{"bucket":"b"}}"#, "`--features s3`"),
        (
            r#"{"MqttPublish":{"host":"h","topic":"t"}}"#,
            "`--features mqtt`",
        ),
    ] {
        let action: ActionConfig = serde_json::from_str(action).unwrap();
        let error = action.build(&BuildContext::default()).err().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// As the program of November 2026 saved them.
#[test]
fn policies_of_older_files_are_kept() {
    let read = |overflow: &str| {
        let hook = format!(
            r#"{{"trigger":{{"AlwaysTrigger":{{}}}},"action":{{"HttpRequestAction":{{"url":"http://h/"}}}},
            "queue":{{"storage":"memory"{overflow}}}}}"#
        );
        let hook: HookConfig = serde_json::from_str(&hook).unwrap();
        hook.options().queue.unwrap().overflow
    };
    assert_eq!(read(r#","overflow":"block""#), Overflow::Wait);
    assert_eq!(read(r#","overflow":"drop_oldest""#), Overflow::DropOldest);
    assert_eq!(read(""), Overflow::Auto);
}
