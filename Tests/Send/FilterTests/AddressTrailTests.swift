import Filter
import Testing

/// Lines of a message that was sent on, the newest first; `body` is what came in.
private func trail(_ lines: String, _ body: String = "Received: from x\nSubject: y\n\nz\n")
    -> [String]
{
    AddressTrail.addresses(Array((lines + body).utf8)).map { String(decoding: $0, as: UTF8.self) }
}

private let network = "Received: (qmail-queue 1 invoked from network);\n  today\n"
private let alias = "Received: (qmail-queue 2 invoked by alias);\n  today\nX-QHPSI: clean\n"
private let user = "Received: (qmail-queue 3 invoked by uid 7);\n  today\nX-QHPSI: clean\n"

@Test func `each address before which a message was queued again is of its trail`() {
    #expect(trail(alias + "Delivered-To: a@x\n" + network) == ["a@x"])
    #expect(
        trail(user + "Delivered-To: b@y\n" + alias + "Delivered-To: a@x\n" + network)
            == ["a@x", "b@y"])
    #expect(
        trail(alias + "X-Quarantine-ID: d@x,\n\tb@y\nDelivered-To: d@x\n" + network) == ["d@x"])
    #expect(trail(alias + "Delivered-To: a@x\n" + user, "Subject: own\n\n") == ["a@x"])
}

@Test(arguments: [
    "", network, user, "Delivered-To: a@x\n", "Delivered-To: a@x\n" + network,
    // What came from the network, or for a notice, says nothing.
    network + "Delivered-To: a@x\n" + network,
    "Received: (qmail-queue 1 invoked for bounce);\n  today\nDelivered-To: a@x\n" + network,
    // What is not between two of the queue's fields was not put there by a delivery.
    user + "Delivered-To: a@x\n", user + "Delivered-To: a@x\nSubject: x\n" + network,
    user + "Subject: x\nDelivered-To: a@x\n" + network, user + "\nDelivered-To: a@x\n" + network,
    user + " nonsense\nno field\nDelivered-To: a@x\n" + network,
    "Received: (qmail-quack 2 invoked by alias); x\nDelivered-To: a@x\n" + network,
])
func `what says of itself that it was sent on was not`(lines: String) {
    #expect(trail(lines).isEmpty)
}

@Test func `an address whose rules were applied ends the trail`() {
    #expect(
        trail(
            user + "Delivered-To: c@z\n" + alias + "Delivered-To: b@y\nX-Filter: 1 of b@y\n" + alias
                + "Delivered-To: a@x\n" + network) == ["c@z"])
}

@Test func `a trail has an end`() {
    let long = String(repeating: alias + "Delivered-To: a@x\n", count: 1000) + network
    #expect(trail(long).count == 30)
}
