"""Every block that the README tells a reader to type has a lane that types it."""

from tests.docs.readme import blocks

# lane -> the test that runs its blocks
LANES = {
    "run": "tests/chain/test_run.py and test_readme.py",
    "check": "this run",
    "chain": "tests/chain/test_readme.py",
    "keyed": "tests/chain/test_readme.py",
    "signed": "tests/chain/test_readme.py",
    "save": "tests/chain/test_readme.py",
    "compile": "tests/chain/test_readme.py",
    "image": "tests/image/test_readme.py",
    "push": "tests/deployment/test_push.py",
    "sam": "tests/sam/test_readme.py",
    "deploy": "tests/chain/test_readme.py (dry), tests/deployment and tests/deploy",
}


def test_every_block_has_a_lane() -> None:
    assert {block.lane for block in blocks()} == set(LANES)
