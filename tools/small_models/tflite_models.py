"""A TFLite model: the classifier by mean colour, as TensorFlow exports it."""

import flatbuffers
import numpy as np
import tflite

SIDE = 16
WEIGHTS = np.array([[0.02, -0.01, -0.01], [-0.01, 0.02, -0.01], [-0.01, -0.01, 0.02]], np.float32)
BIAS = np.array([0.5, 0.0, -0.5], np.float32)
# Name, shape, elements of each tensor; a tensor without elements is computed.
TENSORS = [
    ("serving_default_image:0", (1, SIDE, SIDE, 3), None),
    ("axes", (2,), np.array([1, 2], np.int32)),
    ("StatefulPartitionedCall:1", (1, 3), None),
    ("weights", (3, 3), WEIGHTS),
    ("bias", (3,), BIAS),
    ("StatefulPartitionedCall:0", (1, 3), None),
]


def classifier() -> bytes:
    """Return a classifier that gives the means (`..:1`) and the logits (`..:0`)."""
    builder = flatbuffers.Builder(4096)
    buffers = [buffer(builder, None)] + [buffer(builder, data) for _, _, data in TENSORS]
    tensors = [tensor(builder, place, *described) for place, described in enumerate(TENSORS)]
    codes = [code(builder, kind) for kind in (tflite.BuiltinOperator.MEAN, tflite.BuiltinOperator.FULLY_CONNECTED)]
    operators = [
        operator(builder, 0, [0, 1], [2], tflite.BuiltinOptions.ReducerOptions, reducer(builder)),
        operator(builder, 1, [2, 3, 4], [5], tflite.BuiltinOptions.FullyConnectedOptions, connected(builder)),
    ]
    graph = subgraph(builder, tensors, operators)
    parts = [tables(builder, listed) for listed in (codes, [graph], buffers)]
    text = builder.CreateString("classifier by mean colour")
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, parts[0])
    tflite.ModelAddSubgraphs(builder, parts[1])
    tflite.ModelAddBuffers(builder, parts[2])
    tflite.ModelAddDescription(builder, text)
    builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def tables(builder: flatbuffers.Builder, listed: list[int]) -> int:
    """Write a vector of tables; all vectors of offsets are written alike."""
    builder.StartVector(4, len(listed), 4)
    for offset in reversed(listed):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def numbers(builder: flatbuffers.Builder, values: list[int] | tuple[int, ...]) -> int:
    """Write a vector of 32-bit numbers."""
    return builder.CreateNumpyVector(np.array(values, np.int32))


def buffer(builder: flatbuffers.Builder, data: np.ndarray | None) -> int:
    """Write the elements of a tensor."""
    content = None
    if data is not None:
        content = builder.CreateByteVector(data.tobytes())
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def tensor(builder: flatbuffers.Builder, place: int, name: str, shape: tuple[int, ...], data: np.ndarray | None) -> int:
    """Write a tensor; its elements are in the buffer after the empty one."""
    text, sizes = builder.CreateString(name), numbers(builder, shape)
    whole = data is not None and data.dtype == np.int32
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, sizes)
    tflite.TensorAddType(builder, tflite.TensorType.INT32 if whole else tflite.TensorType.FLOAT32)
    tflite.TensorAddBuffer(builder, place + 1)
    tflite.TensorAddName(builder, text)
    return tflite.TensorEnd(builder)


def code(builder: flatbuffers.Builder, kind: int) -> int:
    """Write the code of an operator."""
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, kind)
    tflite.OperatorCodeAddBuiltinCode(builder, kind)
    tflite.OperatorCodeAddVersion(builder, 1)
    return tflite.OperatorCodeEnd(builder)


def reducer(builder: flatbuffers.Builder) -> int:
    """Write the options of the mean: the reduced axes go."""
    tflite.ReducerOptionsStart(builder)
    tflite.ReducerOptionsAddKeepDims(builder, False)
    return tflite.ReducerOptionsEnd(builder)


def connected(builder: flatbuffers.Builder) -> int:
    """Write the options of the linear layer: no activation."""
    tflite.FullyConnectedOptionsStart(builder)
    return tflite.FullyConnectedOptionsEnd(builder)


def operator(builder: flatbuffers.Builder, place: int, inputs: list[int], outputs: list[int], kind: int, options: int) -> int:
    """Write an operator of the graph."""
    taken, given = numbers(builder, inputs), numbers(builder, outputs)
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, place)
    tflite.OperatorAddInputs(builder, taken)
    tflite.OperatorAddOutputs(builder, given)
    tflite.OperatorAddBuiltinOptionsType(builder, kind)
    tflite.OperatorAddBuiltinOptions(builder, options)
    return tflite.OperatorEnd(builder)


def subgraph(builder: flatbuffers.Builder, tensors: list[int], operators: list[int]) -> int:
    """Write the graph: the image goes in, logits and means come out."""
    listed = [tables(builder, tensors), numbers(builder, [0]), numbers(builder, [5, 2]), tables(builder, operators)]
    text = builder.CreateString("main")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, listed[0])
    tflite.SubGraphAddInputs(builder, listed[1])
    tflite.SubGraphAddOutputs(builder, listed[2])
    tflite.SubGraphAddOperators(builder, listed[3])
    tflite.SubGraphAddName(builder, text)
    return tflite.SubGraphEnd(builder)
