"""Read XML as a stream of events; what is made to do harm is refused."""

from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

#: How deep elements nest. No dump comes near.
DEEPEST = 50
#: The longest text of an element, in characters.
LONGEST = 100_000_000
CHUNK = 65_536


class BadXML(ValueError):
    """The file is no XML, or XML that was made to do harm; the message says so to the user."""


def events(stream, longest=LONGEST):
    """Go through the elements: ("start", tag, attributes), then ("end", tag, text), where the
    text is the element's own. Tags are without their namespace. Raises BadXML."""
    collector = Collector(longest)
    parser = DefusedXMLParser(target=collector, forbid_dtd=True)
    try:
        while chunk := stream.read(CHUNK):
            parser.feed(chunk)
            yield from collector.take()
        parser.close()
    except DefusedXmlException:
        raise BadXML("the XML has a document type declaration, which this import does not take: "
                     "entities can be made to fill the memory or to read other files") from None
    except ParseError as error:
        raise BadXML(f"this is no sound XML: {error}") from None
    yield from collector.take()


class Collector:
    """What the parser calls."""

    def __init__(self, longest):
        self.longest = longest
        self.found = []
        #: The text so far and its length, of each element that is open.
        self.open = []

    def take(self):
        found, self.found = self.found, []
        return found

    def start(self, tag, attributes):
        if len(self.open) >= DEEPEST:
            raise BadXML(f"the XML nests its elements more than {DEEPEST} deep")
        self.open.append([[], 0])
        self.found.append(("start", local(tag), {local(name): value
                                                 for name, value in attributes.items()}))

    def data(self, text):
        element = self.open[-1]
        element[1] += len(text)
        if element[1] > self.longest:
            raise BadXML(f"an element holds more than {self.longest:,} characters")
        element[0].append(text)

    def end(self, tag):
        parts, _ = self.open.pop()
        self.found.append(("end", local(tag), "".join(parts)))

    def close(self):
        pass


def local(name):
    return name.rpartition("}")[2]
