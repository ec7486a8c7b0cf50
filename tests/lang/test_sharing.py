"""What is one decision and what is several: `let` of a choice; and guards that constants decide."""

import nasir
from tests.conftest import CASES

CHOICE = "choice c {{ a: conv(3, 8)  b: conv(5, 8) }}\n{}space s(classes = 2) {{ x = image(8, size=8)\n{}\n}}"
END = " -> global_avg_pool -> linear(classes)"


def names(space: nasir.Space) -> list[str]:
    return [decision.name for decision in space.decisions]


def test_let_makes_a_choice_one_decision_with_weights_of_its_own_at_each_use(compiled):
    anew = compiled(CHOICE.format("", f"return x -> c -> c{END}"))
    shared = compiled(CHOICE.format("let op = c\n", f"return x -> op -> op{END}"))
    within = compiled(CHOICE.format("", f"let op = c\nreturn x -> op -> op{END}"))
    assert (len(names(anew)), names(shared), names(within)) == (2, ["op"], ["op"])
    largest = shared.at({"op": "b"})
    assert largest.params()[0] == 2 * 5 * 5 * 8 * 8 + 8 * 2 + 2
    assert nasir.supernet(shared).architecture().__next__().numel() == 2


def test_a_let_within_a_block_is_one_decision_for_each_use_of_the_block(compiled):
    text = "block cell() { let op = c\n return x -> op -> op }\n"
    space = compiled(CHOICE.format(text, f"return x -> cell -> cell{END}"))
    assert len(names(space)) == 2


def test_a_bound_choice_decides_anew(compiled):
    assert len(names(compiled(CHOICE.format("", f"op = c\nreturn x -> op -> op{END}")))) == 2


def test_a_guard_that_shapes_decide_protects_its_branch(compiled):
    """The image has three channels, and what the guard leaves out would add to it."""
    space = nasir.load(CASES / "spaces" / "shared_cell.nas")
    adds = [node.name for node in space.graph.nodes if node.op == "add"]
    assert "stem.block.block.add" not in adds
    assert "stem.block_2.block.add" in adds


def test_mistakes_outside_a_protected_branch_are_still_found(compiled, tmp_path):
    text = (
        "block plus(other) { return x + other }\n"
        "space s(classes = 2) {\n"
        "  x = image(3, size=8)\n"
        "  y = x -> conv(1, 8) -> bn\n"
        "  z = y -> plus(x) when x.channels == 8\n"
        "  w = y + x\n"
        f"  return z{END}\n}}"
    )
    path = tmp_path / "net.nas"
    path.write_text(text, encoding="utf-8")
    found = nasir.api.check(path)
    assert [(d.code, d.span.line) for d in found if d.span] == [("E0401", 6)]
