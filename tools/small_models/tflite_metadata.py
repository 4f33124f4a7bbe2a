"""Adds TFLite metadata and packed labels to a model, by the schema of tflite-support.

    pip install --no-deps tflite-support==0.4.4 && pip install flatbuffers
    python tools/small_models/tflite_metadata.py fixtures/models/uint8.tflite fixtures/models/metadata.tflite
"""

import importlib.util
import sys
import zipfile
from pathlib import Path

import flatbuffers


def schema(name):
    """A generated module of tflite-support, loaded without its compiled parts."""
    package = importlib.util.find_spec("tensorflow_lite_support")
    path = Path(package.submodule_search_locations[0]) / "metadata" / f"{name}_py_generated.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unit(m, kind, options, **values):
    made = m.ProcessUnitT()
    made.optionsType, made.options = kind, options
    for key, value in values.items():
        setattr(options, key, value)
    return made


def metadata(m):
    model = m.ModelMetadataT()
    model.name, model.description, model.version = "colours", "d", "v1"
    image = m.TensorMetadataT()
    image.name, image.content = "image", m.ContentT()
    image.content.contentPropertiesType = m.ContentProperties.ImageProperties
    image.content.contentProperties = m.ImagePropertiesT()
    image.content.contentProperties.colorSpace = m.ColorSpaceType.RGB
    kinds = m.ProcessUnitOptions
    image.processUnits = [unit(m, kinds.NormalizationOptions, m.NormalizationOptionsT(), mean=[127.5], std=[127.5])]
    image.stats = m.StatsT()
    image.stats.max, image.stats.min = [1.0], [-1.0]
    scores = m.TensorMetadataT()
    labels = m.AssociatedFileT()
    labels.name, labels.type = "labels.txt", m.AssociatedFileType.TENSOR_AXIS_LABELS
    scores.name, scores.associatedFiles = "probability", [labels]
    scores.processUnits = [
        unit(m, kinds.ScoreThresholdingOptions, m.ScoreThresholdingOptionsT(), globalScoreThreshold=0.25)
    ]
    graph = m.SubGraphMetadataT()
    graph.inputTensorMetadata, graph.outputTensorMetadata = [image], [scores]
    model.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def main(source, target):
    s = schema("schema")
    data = bytearray(Path(source).read_bytes())
    model = s.ModelT.InitFromObj(s.Model.GetRootAsModel(data, 0))
    buffer = s.BufferT()
    buffer.data = list(metadata(schema("metadata_schema")))
    model.buffers.append(buffer)
    entry = s.MetadataT()
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = (model.metadata or []) + [entry]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    Path(target).write_bytes(bytes(builder.Output()))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt", (2026, 1, 1, 0, 0, 0)), "red\ngreen\nblue\n")


main(*sys.argv[1:])
