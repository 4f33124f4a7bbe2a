"""Annotations in the formats that people bring."""

from .readers import (
    AnnotationReader,
    DatumAnnotationReader,
    DirectoryTreeAnnotationReader,
    GetiAnnotationReader,
)

__all__ = [
    "AnnotationReader",
    "DatumAnnotationReader",
    "DirectoryTreeAnnotationReader",
    "GetiAnnotationReader",
]
