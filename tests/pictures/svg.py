"""Small SVG pictures that suit a light and a dark page."""

from xml.sax.saxutils import escape

__all__ = ["Picture", "escape"]

COLOURS = """
        .paper { fill: #f6f8fa; stroke: #d0d7de; } .ink { fill: #1f2328; } .strong { fill: #1f2328; font-weight: bold; }
        .faint { fill: #59636e; } .accent { fill: #0969da; } .soft { fill: #c4ccd4; }
        @media (prefers-color-scheme: dark) {
          .paper { fill: #0d1117; stroke: #3d444d; } .ink { fill: #e6edf3; } .strong { fill: #f0f6fc; }
          .faint { fill: #9198a1; } .accent { fill: #4493f8; } .soft { fill: #3d444d; } }"""


class Picture:
    def __init__(self, width, height, title):
        self.width, self.height, self.title = width, height, title
        self.styles, self.parts = COLOURS, []

    def style(self, text):
        self.styles += text

    def add(self, part):
        self.parts.append(part)

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" '
                      f'height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
                      f'role="img" xml:space="preserve">\n<title>{escape(self.title)}</title>\n<style>{self.styles}\n</style>\n'
                      + "\n".join(self.parts) + "\n</svg>\n")
