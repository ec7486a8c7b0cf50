"""fold-masks changes what is computed and kept, and no result: outputs and all gradients, between the networks."""

from tests.conftest import each_searched_space
from tests.supernets.laws import assert_folding_changes_no_result
from tests.supernets.test_equivalence import small


@each_searched_space
def test_folded_and_unfolded_supernets_agree_in_outputs_and_gradients(path):
    assert_folding_changes_no_result(small(path, sizes=48))
