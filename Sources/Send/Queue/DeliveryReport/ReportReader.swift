/// Takes reports out of what a spawner writes: a number of two bytes, the lower first, `K`, `Z` or `D`, a text, and
/// a NUL.
package struct ReportReader: Sendable {
    /// The most bytes of a text; the rest of a longer one is dropped.
    package static let textLimit = 10_000

    private var pending: [UInt8] = []

    /// A reader at the start of a report.
    package init() {}

    /// Whether it stands within a report.
    package var isInside: Bool { !pending.isEmpty }

    /// Take more bytes.
    ///
    /// - Returns: The reports that end in them, in order.
    package mutating func take(_ bytes: ArraySlice<UInt8>) -> [DeliveryReport] {
        var reports: [DeliveryReport] = []
        for byte in bytes {
            if byte != 0 || pending.count < 2 {
                if pending.count < Self.textLimit + 3 { pending.append(byte) }
                continue
            }
            let outcome: DeliveryReport.Outcome =
                switch pending.dropFirst(2).first {
                case UInt8(ascii: "K"): .success
                case UInt8(ascii: "Z"): .deferral
                case UInt8(ascii: "D"): .failure
                default: .mangled
                }
            reports.append(
                DeliveryReport(
                    number: Int(pending[0]) | Int(pending[1]) << 8, outcome: outcome,
                    text: Array(pending.dropFirst(3))))
            pending.removeAll(keepingCapacity: true)
        }
        return reports
    }
}
