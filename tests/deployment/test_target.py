from deployment.target import Hosting, Target


def test_the_processor_follows_from_the_instance_type() -> None:
    types = ("ml.m5.large", "ml.c7g.large", "ml.m6gd.xlarge", "ml.g5.xlarge", "ml.g4dn.xlarge", "ml.g5g.xlarge")

    found = {name: Target(Hosting.REALTIME, name, 2048).architecture for name in types}

    assert found == {
        "ml.m5.large": "amd64",
        "ml.c7g.large": "arm64",
        "ml.m6gd.xlarge": "arm64",
        "ml.g5.xlarge": "amd64",
        "ml.g4dn.xlarge": "amd64",
        "ml.g5g.xlarge": "arm64",
    }
