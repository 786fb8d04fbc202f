import ByteText
package import ScanProtocol

/// What the scan broker says at the end of a scan, or what its client says in its place.
package struct BrokerAnswer: Equatable, Sendable {
    /// The verdict.
    package let report: ScanReport
    /// The exit code of qhpsi(8) for it.
    package let code: Int32

    /// A report that its exit code confirms.
    package init(_ report: ScanReport, code: Int32) {
        self.report = report
        self.code = code
    }

    /// Read a packet; nil when it is no answer, or its parts contradict each other.
    package init?(_ packet: [UInt8]) {
        guard packet.count > 2, packet[0] == Self.mark,
            let report = ScanReport(Array(packet[2...])),
            report.isConfirmed(by: Int32(packet[1]))
        else { return nil }
        self.init(report, code: Int32(packet[1]))
    }

    /// The bytes for the wire: `A`, the exit code, the report.
    package var encoded: [UInt8] {
        [Self.mark, UInt8(truncatingIfNeeded: code)] + report.encoded
    }

    /// What the broker says first: the scan has begun.
    ///
    /// From here on the client waits for the answer, and does nothing else about the message.
    package static let begun = [UInt8(ascii: "B")]

    private static let mark = UInt8(ascii: "A")

    // What a client takes for the answer; the exit codes are those of qhpsi(8).
    static func failed(_ reason: [UInt8]) -> BrokerAnswer { of(reason, code: 77) }
    static func late(_ reason: [UInt8]) -> BrokerAnswer { of(reason, code: 52) }

    private static func of(_ reason: [UInt8], code: Int32) -> BrokerAnswer {
        BrokerAnswer(
            ScanReport(.failed(reason: reason), scanner: [UInt8]("qhpsid")), code: code)
    }
}
