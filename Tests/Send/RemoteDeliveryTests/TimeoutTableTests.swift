import ByteText
import RemoteDelivery
import Testing

private func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(Array(text.utf8)) else { fatalError("\(text) is no address") }
    return address
}
private func isLeftAlone(_ table: inout TimeoutTable, _ address: IPAddress, now: Int) -> Bool {
    table.isLeftAlone(address, now: now)
}
private let start = 1_800_000_000

@Test func `an address is left alone after its second time-out, ever longer, to an hour`() {
    var table = TimeoutTable([UInt8](repeating: 0, count: 1024))
    for host in ["192.0.2.1", "2001:db8::1"].map(address) {
        var now = start
        table.timedOut(host, now: now)
        #expect(!isLeftAlone(&table, host, now: now))
        for minutes in [15, 30, 60, 60] {
            now += 300
            table.timedOut(host, now: now)
            #expect(isLeftAlone(&table, host, now: now + minutes * 60 - 1))
            now += minutes * 60
            #expect(!isLeftAlone(&table, host, now: now))
            // Whoever asked is trying; others wait for him.
            #expect(isLeftAlone(&table, host, now: now + 119))
            #expect(!isLeftAlone(&table, host, now: now + 120))
        }
        table.answered(host)
        #expect(!table.contains(host) && table.entries.allSatisfy { $0.address != host })
    }
}

@Test func `time-outs within two minutes are one`() {
    var table = TimeoutTable([UInt8](repeating: 0, count: 1024))
    for delay in [0, 1, 119] { table.timedOut(address("192.0.2.1"), now: start + delay) }
    #expect(table.entries.map { $0.count } == [1])
    table.timedOut(address("192.0.2.1"), now: start + 120)
    #expect(table.entries.map { $0.count } == [2])
}

@Test func `a full table forgets what is oldest`() {
    var table = TimeoutTable([UInt8](repeating: 0, count: 1024))
    for i in 0..<60 { table.timedOut(address("192.0.2.\(i)"), now: start + i) }
    #expect(table.entries.count == 42 && table.bytes.count == 1024)
    #expect(!table.contains(address("192.0.2.17")) && table.contains(address("192.0.2.18")))
    table.clear()
    #expect(table.entries.isEmpty)
}

@Test func `any bytes are a table, also those of a clock that went back`() {
    for size in [0, 1, 23, 24, 47] {
        var table = TimeoutTable([UInt8](repeating: 255, count: size))
        table.timedOut(address("192.0.2.1"), now: start)
        #expect(table.bytes.count == size)
        #expect(!isLeftAlone(&table, address("192.0.2.1"), now: start))
    }
    var table = TimeoutTable([UInt8](repeating: 0, count: 48))
    table.timedOut(address("192.0.2.1"), now: start)
    table.timedOut(address("192.0.2.1"), now: start + 500)
    #expect(isLeftAlone(&table, address("192.0.2.1"), now: start + 501))
    #expect(!isLeftAlone(&table, address("192.0.2.1"), now: start - 10_000))
}
