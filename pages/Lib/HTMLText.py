"""Convert HTML to Markdown in which nothing is a macro and nothing runs."""

from bs4 import BeautifulSoup
from markdownify import ATX, MarkdownConverter

markdown = wiki.load("Lib.MarkdownText")  # noqa: F821 - a module's page is given the wiki

DROPPED = ("script", "style", "form", "input", "button", "select", "textarea", "iframe", "object",
           "embed", "svg", "template", "head", "noscript")


def convert(html):
    """The HTML as Markdown; one that nests too deep as code."""
    html = markdown.without_controls(html)
    try:
        soup = BeautifulSoup(f"<body>{html}</body>", "html.parser")
        for tag in soup(DROPPED):
            tag.decompose()
        text = Converter(heading_style=ATX, bullets="-", newline_style="backslash").convert_soup(
            soup)
    except RecursionError:
        return markdown.fence(html)
    return text.strip()


class Converter(MarkdownConverter):
    """With our ways to escape a text, and to write links and code."""

    def escape(self, text, parent_tags):
        return markdown.escape(text)

    def convert_a(self, el, text, parent_tags):
        return markdown.link(text.strip(), el.get("href") or "") if text.strip() else ""

    def convert_img(self, el, text, parent_tags):
        label = markdown.escape(el.get("alt") or "")
        return markdown.image(label, el.get("src") or "")

    def convert_code(self, el, text, parent_tags):
        return text if "pre" in parent_tags else markdown.code(el.get_text())

    convert_kbd = convert_samp = convert_code

    def convert_pre(self, el, text, parent_tags):
        return f"\n\n{markdown.fence(el.get_text())}\n\n"

    def convert_br(self, el, text, parent_tags):
        return "<br>"
