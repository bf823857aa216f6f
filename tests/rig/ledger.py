"""What was sent, and whether the store holds it: once where it was answered 200, and nothing else."""

from rig.cases import expect
from rig.load import Message


class Ledger:
    """Every message sent in a run; each from a phone of its own."""

    def __init__(self, texts):
        self.texts = texts
        self.sent = []

    def fresh(self):
        """A new message of a new phone."""
        number = len(self.sent) + 1
        message = Message(number, self.texts[number % len(self.texts)])
        self.sent.append(message)
        return message

    def check(self, siaga):
        """Compares with the data of a stopped server."""
        ids = siaga.messages()
        expect(len(ids) == len(set(ids)), f"{len(ids) - len(set(ids))} ids are stored twice")
        lost = {each.id for each in self.sent if each.replies} - set(ids)
        expect(not lost, f"{len(lost)} answered messages are not in the store")
        strange = set(ids) - {each.id for each in self.sent}
        expect(not strange, f"{len(strange)} stored messages were never sent")
        return f"{len(ids)} messages"
