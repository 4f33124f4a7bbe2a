"""Which demo photo trains, which is held out, and which is strange.

The split is by group: all photos of one landmark or of one object are on the same
side. The order of the groups comes from SHA-256 of "seed/class/group", so that any
language can repeat it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

CLASSES = ("fish", "monument", "renewable", "tool")
STRANGE = ("farm_animal", "wild_animal", "other")
SOURCE_FOLDERS = {"monument2": ("monument", "_b")}
"""Source folder -> (class folder, suffix of the file name) where they differ."""

TRAIN_SHARE = 0.62

# Photos of one landmark, one object or one series share a group; every other photo is its own.
GROUPS = {
    "monument": {
        "brandenburg_gate": ("brandenburgGate", "brandenburgGate_b"),
        "colosseum": ("colosseum", "colosseum_b"),
        "eiffel_tower": ("eiffelTower", "eiffelTower_b"),
        "great_pyramid": ("greatPyramid", "greatPyramidOfGiza_b"),
        "great_wall": ("greatWall", "greatWallofChina_b"),
        "mount_rushmore": ("mountRushmore", "mountRushmore_b"),
        "qutub_minar": ("kutubMinar", "qutubMinar_b"),
        "statue_of_liberty": ("statueOfLiberty", "statueofLiberty_b"),
        # London and Kolkata: two buildings, kept together because they share a name.
        "victoria_memorial": ("victoriaMemorial", "victoriaMemorial_b"),
    },
    "fish": {"anthias_anthias": ("fish5", "fish14")},
    "renewable": {"windmill_linda": ("windmill9", "windmill14")},
    "tool": {
        "fiskars_scissors": ("scissors1", "scissors4"),
        "old_hammer": ("hammer8", "hammer9"),
        "plier_series": ("plier1", "plier3"),
        "tape_series": ("measuringTape3", "measuringTape4"),
        "cardboard_series": ("sideCutter1", "wrench1"),
    },
}


@dataclass(frozen=True)
class Photo:
    """One photo: where it comes from, where it is shipped, and what it shows."""

    source: Path
    file: str
    folder: str
    group: str


def group_of(folder: str, stem: str) -> str:
    """Return the split group of a photo; a photo without companions is its own group."""
    for group, stems in GROUPS.get(folder, {}).items():
        if stem in stems:
            return group
    return stem


def list_photos(root: Path) -> list[Photo]:
    """List every photo below `root`, sorted by its shipped name; fail on a collision."""
    photos = []
    for source in sorted(root.glob("*/*.webp")):
        folder, suffix = SOURCE_FOLDERS.get(source.parent.name, (source.parent.name, ""))
        if folder not in CLASSES + STRANGE:
            raise SystemExit(f"{source}: folder {folder!r} is neither a class nor strange")
        stem = source.stem + suffix
        file = f"photos/{folder}/{stem}.webp"
        photos.append(Photo(source, file, folder, group_of(folder, stem)))
    photos.sort(key=lambda photo: photo.file)
    check_names(photos)
    return photos


def check_names(photos: list[Photo]) -> None:
    """Fail if two names differ by case only, or if a group names a photo that is not there."""
    lowered = [photo.file.lower() for photo in photos]
    doubles = sorted({name for name in lowered if lowered.count(name) > 1})
    if doubles:
        raise SystemExit(f"file names collide: {doubles}")
    present = {(photo.folder, Path(photo.file).stem) for photo in photos}
    for folder, groups in GROUPS.items():
        for stems in groups.values():
            missing = [stem for stem in stems if (folder, stem) not in present]
            if missing:
                raise SystemExit(f"group table of {folder}: no photo named {missing}")


def draw(seed: int, folder: str, group: str) -> str:
    """Return the sort key of a group: SHA-256 of `seed/folder/group` in hexadecimal."""
    return hashlib.sha256(f"{seed}/{folder}/{group}".encode()).hexdigest()


def split_class(seed: int, folder: str, photos: list[Photo]) -> set[str]:
    """Return the groups of one class that train: in drawn order, until the share is reached."""
    wanted = TRAIN_SHARE * len(photos)
    groups = sorted({photo.group for photo in photos}, key=lambda group: draw(seed, folder, group))
    chosen, count = set(), 0
    for group in groups:
        if count >= wanted:
            break
        chosen.add(group)
        count += sum(photo.group == group for photo in photos)
    return chosen


def make_split(seed: int, photos: list[Photo]) -> dict:
    """Return the split of a seed as the contents of `split.json`."""
    split = {"seed": seed, "classes": list(CLASSES), "train": [], "known": [], "strange": []}
    for folder in CLASSES:
        members = [photo for photo in photos if photo.folder == folder]
        chosen = split_class(seed, folder, members)
        for photo in members:
            part = "train" if photo.group in chosen else "known"
            split[part].append({"file": photo.file, "label": folder, "group": photo.group})
    for photo in photos:
        if photo.folder in STRANGE:
            split["strange"].append({"file": photo.file, "folder": photo.folder})
    return split
