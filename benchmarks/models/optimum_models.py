"""Models of transformers, exported by Hugging Face's optimum, with the files that it lays beside them."""

import torch
from common import model, objects, one, seeded, sized
from PIL import Image

NAMES = ["cat", "dog", "bird", "fish"]
TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}


def labelled() -> dict:
    """Return the names of the classes in the form of transformers."""
    return {"id2label": dict(enumerate(NAMES)), "label2id": {name: index for index, name in enumerate(NAMES)}}


def exported(network, processor, folder, task: str):
    """Export a network by optimum, and return what computes with the exported graph."""
    from optimum.exporters.onnx import onnx_export_from_model
    from openvino import Core

    onnx_export_from_model(network, folder, task=task, monolith=True, do_validation=False)
    processor.save_pretrained(folder)
    compiled = Core().compile_model(str(folder / "model.onnx"), "CPU")

    def run(pixels):
        results = compiled([pixels.numpy()]).items()
        # OpenVINO may have several names for a result.
        return {name: torch.from_numpy(value.copy()) for output, value in results for name in output.get_names()}

    return run


def spread_head(head: torch.nn.Linear, factor: float) -> None:
    """Let random weights be sure of something."""
    head.weight.data *= factor


@model("optimum ViTForImageClassification", "optimum-onnx")
def vit(folder, photos):
    """A classifier."""
    import transformers

    network = seeded(lambda: transformers.ViTForImageClassification(transformers.ViTConfig(**TINY, **labelled())))
    spread_head(network.classifier, 20)
    processor = transformers.ViTImageProcessor()
    run = exported(network, processor, folder, "image-classification")
    found = {}
    for photo in photos:
        pixels = processor(Image.open(photo).convert("RGB"), return_tensors="pt")["pixel_values"]
        scores = run(pixels)["logits"].softmax(1)[0]
        found[photo.name] = one(NAMES[int(scores.argmax())], scores.max())
    return found


@model("optimum DetrForObjectDetection", "optimum-onnx")
def detr(folder, photos):
    """A detector that chooses queries: compared on photos of the input's size."""
    import transformers

    backbone = transformers.ResNetConfig(embedding_size=16, hidden_sizes=[16, 32, 48, 64], depths=[1, 1, 1, 1], out_features=["stage4"])
    config = transformers.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, d_model=48, encoder_layers=1,
        decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_queries=20, **labelled(),
    )
    network = seeded(lambda: transformers.DetrForObjectDetection(config))
    spread_head(network.class_labels_classifier, 20)
    network.class_labels_classifier.bias.data[-1] = -9  # Random weights would find nothing.
    processor = transformers.DetrImageProcessor(size={"height": 256, "width": 320}, do_pad=False)
    photos = sized(folder, photos, 320, 256)
    run = exported(network, processor, folder, "object-detection")
    found = {}
    for photo in photos:
        image = Image.open(photo).convert("RGB")
        outputs = run(processor(image, return_tensors="pt")["pixel_values"])
        outputs = transformers.models.detr.modeling_detr.DetrObjectDetectionOutput(logits=outputs["logits"], pred_boxes=outputs["pred_boxes"])
        result = processor.post_process_object_detection(outputs, threshold=0.5, target_sizes=[(image.height, image.width)])[0]
        found[photo.name] = objects(NAMES, result["labels"], result["scores"], result["boxes"])
    return found


@model("optimum SegformerForSemanticSegmentation", "optimum-onnx")
def segformer(folder, photos):
    """A segmentation whose logits are a quarter of the input's size."""
    import transformers

    config = transformers.SegformerConfig(hidden_sizes=[8, 16, 40, 64], depths=[1, 1, 1, 1], decoder_hidden_size=32, **labelled())
    network = seeded(lambda: transformers.SegformerForSemanticSegmentation(config))
    spread_head(network.decode_head.classifier, 20)
    processor = transformers.SegformerImageProcessor(size={"height": 256, "width": 256}, do_reduce_labels=False)
    run = exported(network, processor, folder, "semantic-segmentation")
    found = {}
    for photo in photos:
        image = Image.open(photo).convert("RGB")
        outputs = run(processor(image, return_tensors="pt")["pixel_values"])
        outputs = transformers.modeling_outputs.SemanticSegmenterOutput(logits=outputs["logits"])
        classes = processor.post_process_semantic_segmentation(outputs, target_sizes=[(image.height, image.width)])[0]
        shares = [(classes == index).float().mean().item() for index in range(len(NAMES))]
        found[photo.name] = [{"label": n, "share": s} for n, s in zip(NAMES, shares, strict=True) if s > 0.001]
    return found
