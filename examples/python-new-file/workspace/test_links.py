from pages.links import link


def test_link():
    assert link("Hello, World!") == "/posts/hello-world.html"
