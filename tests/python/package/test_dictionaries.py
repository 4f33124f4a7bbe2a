"""Triggers, actions and hooks as dictionaries, in the form of the SDK."""

import pytest

from straylight.post_inference_hooks import (
    AlwaysTrigger,
    FileSystemDataCollection,
    GetiDataCollection,
    LabelTrigger,
    NotTrigger,
    ObjectCountTrigger,
    OODTrigger,
    OrTrigger,
    PostInferenceHook,
    PostInferenceTrigger,
)


class CenterTrigger(PostInferenceTrigger):
    """Scores the pixel in the middle; for the tests of what is written down."""

    def __init__(self, channel, threshold=0.5):
        super().__init__(threshold)
        self.channel = channel

    def __call__(self, image, prediction):
        return float(image[image.shape[0] // 2, image.shape[1] // 2, self.channel])


@pytest.mark.parametrize(
    ("trigger", "written"),
    [
        (AlwaysTrigger(), {"AlwaysTrigger": {}}),
        (
            ObjectCountTrigger(2, mode="LOWER"),
            {"ObjectCountTrigger": {"threshold": 2, "label_names": None, "mode": "LOWER"}},
        ),
        (
            NotTrigger(OrTrigger([LabelTrigger(["dog"]), AlwaysTrigger()])),
            {
                "NotTrigger": {
                    "trigger": {
                        "OrTrigger": {
                            "triggers": [
                                {"LabelTrigger": {"label_names": ["dog"], "mode": "OR"}},
                                {"AlwaysTrigger": {}},
                            ]
                        }
                    }
                }
            },
        ),
        (CenterTrigger(1), {"CenterTrigger": {"channel": 1, "threshold": 0.5}}),
    ],
    ids=lambda it: next(iter(it)) if isinstance(it, dict) else "",
)
def test_triggers_are_written_as_the_sdk_writes_them(trigger, written):
    assert trigger.to_dict() == written
    again = PostInferenceTrigger.from_dict(written)
    assert type(again) is type(trigger) and again.to_dict() == written
    assert repr(again) == repr(trigger)


def test_a_hook_is_written_and_made_again(tmp_path, fitted):
    hook = PostInferenceHook(
        OODTrigger(fitted, threshold=0.7),
        FileSystemDataCollection(str(tmp_path), save_scores=False),
        max_threads=3,
        limit_action_rate=True,
        max_frames_per_second=2,
        queue_limit=9,
        limits={"max_total": 4},
    )
    written = hook.to_dict()
    arguments = written["PostInferenceHook"]
    assert arguments["trigger"] == {"OODTrigger": {"threshold": 0.7}}
    assert arguments["action"]["FileSystemDataCollection"]["save_scores"] is False
    assert (arguments["max_threads"], arguments["queue_limit"]) == (3, 9)
    assert (arguments["limit_action_rate"], arguments["max_frames_per_second"]) == (True, 2)
    assert arguments["limits"] == {"max_total": 4}
    # The SDK hands over what is inside.
    for form in (written, arguments):
        again = PostInferenceHook.from_dict(form, ood_model=fitted)
        assert again.to_dict() == written and repr(again) == repr(hook)
    with pytest.raises(ValueError, match="OOD model"):
        PostInferenceHook.from_dict(written)
    with pytest.raises(ValueError, match="`Nothing` is no PostInferenceAction"):
        PostInferenceHook.from_dict(arguments | {"action": {"Nothing": {}}}, ood_model=fitted)


def test_a_token_is_not_written(geti, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    action = GetiDataCollection(geti.session, geti.workspace_id, "Demo", "strays")
    written = action.to_dict()
    assert geti.session.config.token not in str(written)
    again = type(action).from_dict(written)
    assert again.to_dict() == written
