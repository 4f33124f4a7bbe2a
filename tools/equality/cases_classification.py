"""Classification: single label, multi-label, hierarchical."""

import json

import numpy as np

from sdk import Case, Task, info, labels

ANIMALS = labels("cat", "dog", "red fox")


def scores(*values: float) -> dict[str, np.ndarray]:
    """Return the outputs of a classifier without saliency maps."""
    return {"logits": np.array([values], np.float32)}


def single(name: str, about: str, outputs: dict, project: list[dict] = ANIMALS, **entries) -> Case:
    """Return a case of one classifier; keywords of the case come in `case`."""
    case = entries.pop("case", {})
    entries.setdefault("output_raw_scores", True)
    return Case(name, about, [Task("classification", info("Classification", project, **entries),
                                   project, outputs)], **case)


def full(*found: tuple[dict, float], size: tuple[int, int] = (64, 48)) -> list[dict]:
    """Return one annotation over the whole image."""
    return [{"shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": size[0], "height": size[1]},
             "labels": [{"id": item["id"], "name": item["name"], "probability": probability}
                        for item, probability in found]}]


def single_label() -> list[Case]:
    """Return cases with classes that exclude one another."""
    same = labels("cat", "cat", "dog")
    xai = {"saliency_map": (np.arange(1 * 3 * 3 * 4, dtype=np.uint8).reshape(1, 3, 3, 4) * 7),
           "feature_vector": np.linspace(-1, 1, 6, dtype=np.float32)[None]}
    return [
        single("top1", "softmax of raw scores", scores(1.0, 3.0, 0.5)),
        single("top3", "the three best, the best first", scores(1.0, 0.5, 3.0), topk=3),
        single("top2_ties", "equal scores", scores(1.0, 2.0, 2.0), topk=2),
        single("top1_tie", "two equal best scores", scores(2.0, 2.0, 1.0)),
        single("all_equal", "all scores equal", scores(0.0, 0.0, 0.0), topk=2, case={
            "ours": lambda _: full((ANIMALS[0], 1 / 3), (ANIMALS[1], 1 / 3)),
            "differs": "argpartition takes any of equals, depending on the CPU; ours are the first"}),
        single("probabilities", "scores that are probabilities stay", scores(0.25, 0.7, 0.05)),
        single("nearly_probabilities", "a sum of 1.001 is not 1", scores(0.25, 0.7, 0.051)),
        single("huge", "logits beyond the range of exp", scores(1e4, -1e4, 9.99e3), topk=3),
        single("topk_above_classes", "more classes wanted than there are", scores(1.0, 3.0, 0.5),
               topk=9, case={"ours": lambda _: full(
                   (ANIMALS[1], 0.82140), (ANIMALS[0], 0.11116), (ANIMALS[2], 0.06742)),
                   "differs": "argpartition raises; all classes are named"}),
        single("nan", "a score that is not a number", scores(1.0, np.nan, 0.5),
               case={"error": "`logits` holds NaN", "differs": "the SDK gives a label with probability NaN"}),
        single("infinite", "an infinite score", scores(1.0, np.inf, 0.5),
               case={"error": "`logits` holds inf", "differs": "the SDK gives a label with probability NaN"}),
        single("legacy_name", "a blank that the model writes as an underscore",
               scores(0.0, 0.0, 4.0), label_ids="None None None"),
        single("renamed", "a label that has another name by now", scores(4.0, 0.0, 0.0),
               labels="kitten dog red_fox"),
        single("swapped_names", "two labels that have exchanged their names", scores(4.0, 0.0, 0.0),
               labels="dog cat red_fox", case={
                   "ours": lambda sdk: [sdk[0] | {"labels": [sdk[0]["labels"][0] | {
                       "id": ANIMALS[0]["id"], "name": "cat"}]}],
                   "differs": "the id tells which label it is; the SDK looks at the name first"}),
        single("same_name", "two labels of one name", scores(0.0, 4.0, 0.0), project=same, case={
            "ours": lambda sdk: [sdk[0] | {"labels": [sdk[0]["labels"][0] | {"id": same[1]["id"]}]}],
            "differs": "the SDK lists a name without blanks twice and takes the first label for both"}),
        single("removed", "a label that the project does not have any more", scores(0.0, 4.0, 0.0),
               labels="cat wolf red_fox", label_ids=f"{ANIMALS[0]['id']} ffffffffffffffffffffffff "
               f"{ANIMALS[2]['id']}", case={
                   "ours": lambda sdk: [sdk[0] | {"labels": [sdk[0]["labels"][0] | {
                       "id": "f" * 24, "name": "wolf"}]}],
                   "differs": "the SDK gives it the label of the class before"}),
        single("one_pixel", "an image of 1 x 1", scores(1.0, 3.0, 0.5), case={"image": (1, 1)}),
        single("large", "an image of 8000 x 4000", scores(1.0, 3.0, 0.5), case={"image": (8000, 4000)}),
        single("explained", "saliency maps and features", scores(1.0, 3.0, 0.5) | xai,
               case={"explain": True, "image": (13, 9)}),
        single("explained_small", "saliency maps made smaller", scores(1.0, 3.0, 0.5) | xai,
               case={"explain": True, "image": (2, 3)}),
    ]


def multi_label() -> list[Case]:
    """Return cases with independent classes."""
    with_empty = labels("cat", "dog", "red fox", "No class")

    def multi(name: str, about: str, *values: float, project: list[dict] = ANIMALS, **case) -> Case:
        return single(name, about, scores(*values), project=project, multilabel=True, case=case)

    return [
        multi("multi_two", "two classes above the threshold, in the model's order", 2.0, -1.0, 3.0),
        multi("multi_edge", "a probability of exactly the threshold does not count", 0.0, 1e-3, -1e-3),
        multi("multi_none", "no class, but an empty label", -1.0, -2.0, -3.0, project=with_empty),
        multi("multi_nothing", "no class and no empty label", -1.0, -2.0, -3.0,
              ours=lambda _: [], differs="the SDK returns an annotation without any label"),
        multi("multi_nan", "a score that is not a number", 2.0, np.nan, 3.0,
              error="`logits` holds NaN", differs="the SDK leaves the class out silently"),
        single("multi_threshold", "a threshold of its own", scores(0.5, 0.9, 2.0), multilabel=True,
               confidence_threshold=0.7),
    ]


def tree(groups: list[list[str]], heads: int, edges: list[list[str]], order: list[str]) -> str:
    """Return a hierarchical configuration; the first `heads` groups are exclusive."""
    ranges, begin, index = {}, 0, {}
    for head in range(heads):
        ranges[str(head)] = [begin, begin + len(groups[head])]
        begin += len(groups[head])
    for place, name in enumerate(order):
        index[name] = place
    positions = {name: [g, n] for g, group in enumerate(groups) for n, name in enumerate(group)}
    return json.dumps({"cls_heads_info": {
        "num_multiclass_heads": heads, "num_multilabel_classes": len(groups) - heads,
        "head_idx_to_logits_range": ranges, "num_single_label_classes": begin,
        "class_to_group_idx": positions, "all_groups": groups, "label_to_idx": index,
    }, "label_tree_edges": edges})


def hierarchical() -> list[Case]:
    """Return cases with a tree of classes: [fish, bird], [owl, duck] under bird, and wild."""
    project = labels("bird", "duck", "fish", "owl", "wild", "No class")
    names = [item["name"] for item in project[:5]]
    config = tree([["fish", "bird"], ["owl", "duck"], ["wild"]], 2,
                  [["owl", "bird"], ["duck", "bird"]], names)
    maps = {"saliency_map": np.arange(5 * 4, dtype=np.uint8).reshape(1, 5, 2, 2) * 12,
            "feature_vector": np.ones((1, 3), np.float32)}

    def case(name: str, about: str, *values: float, outputs: dict | None = None, **more) -> Case:
        entries = {key: more.pop(key) for key in ("hierarchical_postproc", "confidence_threshold")
                   if key in more}
        return single(name, about, scores(*values) | (outputs or {}), project=project,
                      hierarchical=True, hierarchical_config=config, case=more, **entries)

    return [
        case("tree_line", "a class and its parent", 0.0, 2.0, 1.0, 3.0, -1.0),
        case("tree_without_parent", "the parent is not the best of its group", 3.0, 0.0, 1.0, 3.0, -1.0),
        case("tree_and_independent", "an independent class above the threshold", 0.0, 2.0, 3.0, 1.0, 2.0),
        case("tree_edge", "an independent class at the threshold", 0.0, 2.0, 3.0, 1.0, 0.0),
        case("tree_probabilistic", "a class and its parent, probabilistic rule", 0.0, 2.0, 1.0, 3.0, 2.0,
             hierarchical_postproc="probabilistic"),
        case("tree_probabilistic_without_parent", "nothing under a class that lost", 3.0, 0.0, 1.0, 3.0, -2.0,
             hierarchical_postproc="probabilistic"),
        case("tree_explained", "maps follow the tree's order of classes", 0.0, 2.0, 1.0, 3.0, -1.0,
             outputs=maps, explain=True, image=(6, 5)),
    ]


def cases() -> list[Case]:
    """Return all cases of classification."""
    return single_label() + multi_label() + hierarchical() + [
        single("one_label", "a project of one label, as a newer export gives it", scores(4.0, 0.0),
               project=labels("cat", "dog")),
        single("four_dimensions", "scores of 1 x classes x 1 x 1",
               {"logits": np.array([1.0, 3.0, 0.5], np.float32).reshape(1, 3, 1, 1)}, case={
                   "ours": lambda _: full((ANIMALS[1], 0.82140)),
                   "differs": "the SDK fails to index its list of names with an array"}),
    ]
