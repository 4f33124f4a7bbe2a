"""Hooks: what happens to an image after a deployment has seen it.

A :class:`PostInferenceHook` is a trigger, limits and an action. Triggers and actions of your own
derive from :class:`PostInferenceTrigger` and :class:`PostInferenceAction`.
"""

from ..deployment.inference_hook_interfaces import (
    PostInferenceAction,
    PostInferenceHookInterface,
    PostInferenceTrigger,
)
from .actions import (
    FileSystemDataCollection,
    GetiDataCollection,
    HttpRequestAction,
    LocalDatasetCollection,
)
from .post_inference_hook import PostInferenceHook
from .triggers import (
    AlwaysTrigger,
    AndTrigger,
    ConfidenceTrigger,
    EmptyLabelTrigger,
    LabelTrigger,
    NotTrigger,
    ObjectCountTrigger,
    OODTrigger,
    OrTrigger,
    SampleTrigger,
)

__all__ = [
    "AlwaysTrigger",
    "AndTrigger",
    "ConfidenceTrigger",
    "EmptyLabelTrigger",
    "FileSystemDataCollection",
    "GetiDataCollection",
    "HttpRequestAction",
    "LabelTrigger",
    "LocalDatasetCollection",
    "NotTrigger",
    "OODTrigger",
    "ObjectCountTrigger",
    "OrTrigger",
    "PostInferenceAction",
    "PostInferenceHook",
    "PostInferenceHookInterface",
    "PostInferenceTrigger",
    "SampleTrigger",
]
