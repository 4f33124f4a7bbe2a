"""The shipped splits keep their promises. Needs nothing but Python:

    python -m unittest discover -s tools
"""

import json
import unittest
from pathlib import Path

import demo_split

DEMO = Path(__file__).resolve().parent.parent / "assets" / "demo"
SPLITS = [DEMO / "split.json", *sorted((DEMO / "seeds").glob("split_*.json"))]


class ShippedSplits(unittest.TestCase):
    """Checks on `assets/demo/split.json` and on the split of each seed."""

    def each(self):
        """Yield every shipped split inside its own sub-test."""
        for path in SPLITS:
            with self.subTest(path=path.name):
                yield json.loads(path.read_text(encoding="utf-8"))

    def test_there_are_five_seeds(self):
        self.assertEqual([json.loads(path.read_text())["seed"] for path in SPLITS], [0, 0, 1, 2, 3, 4])

    def test_no_group_is_on_both_sides(self):
        for split in self.each():
            train, known = ({(e["label"], e["group"]) for e in split[p]} for p in ("train", "known"))
            self.assertEqual(train & known, set())

    def test_every_photo_is_listed_once(self):
        shipped = sorted(path.relative_to(DEMO).as_posix() for path in DEMO.glob("photos/*/*.webp"))
        for split in self.each():
            listed = sorted(e["file"] for part in ("train", "known", "strange") for e in split[part])
            self.assertEqual(listed, shipped)

    def test_every_photo_has_a_credit(self):
        rows = (DEMO / "CREDITS.tsv").read_text(encoding="utf-8").splitlines()[1:]
        shipped = {path.relative_to(DEMO).as_posix() for path in DEMO.glob("photos/*/*.webp")}
        self.assertEqual({row.split("\t")[0] for row in rows}, shipped)

    def test_labels_are_folders_and_groups_follow_the_table(self):
        for split in self.each():
            for entry in split["train"] + split["known"]:
                path = Path(entry["file"])
                self.assertEqual(entry["label"], path.parent.name)
                self.assertEqual(entry["group"], demo_split.group_of(entry["label"], path.stem))

    def test_strange_photos_never_train(self):
        for split in self.each():
            folders = {entry["folder"] for entry in split["strange"]}
            self.assertEqual(folders, set(demo_split.STRANGE))
            self.assertFalse(folders & {entry["label"] for entry in split["train"]})

    def test_training_share_of_every_class(self):
        for split in self.each():
            for label in demo_split.CLASSES:
                train, known = (sum(e["label"] == label for e in split[p]) for p in ("train", "known"))
                self.assertGreaterEqual(train / (train + known), 0.6)
                self.assertLessEqual(train / (train + known), 0.68)


class Drawing(unittest.TestCase):
    """The order of groups is fixed for ever, in any language."""

    def test_key_of_a_group(self):
        key = demo_split.draw(0, "fish", "fish1")
        self.assertEqual(len(key), 64)
        self.assertNotEqual(key, demo_split.draw(1, "fish", "fish1"))

    def test_a_group_is_chosen_whole(self):
        photos = [demo_split.Photo(Path(), f"{i}", "tool", f"g{i // 2}") for i in range(10)]
        self.assertEqual(len(demo_split.split_class(0, "tool", photos)), 4)

    def test_names_that_differ_by_case_are_refused(self):
        photos = [demo_split.Photo(Path(), name, "tool", name) for name in ("a/X.webp", "a/x.webp")]
        with self.assertRaises(SystemExit):
            demo_split.check_names(photos)


if __name__ == "__main__":
    unittest.main()
