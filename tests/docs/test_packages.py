from tests.docs.packages import PICTURE, draw, imports


def test_the_picture_of_the_packages_is_current() -> None:
    assert PICTURE.read_text() == draw(imports()), "run: make packages"
