from pages.slugs import slug


def link(title):
    return f"/posts/{slug(title)}.html"
