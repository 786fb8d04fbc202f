import ByteText
package import Posix
import ScanProtocol

/// What a client of the scan broker wants beside the message's descriptor; see qhpsid(8).
///
/// On the wire: `qhpsi-scan 1`, the message's path or nothing, and each variable, each with a NUL after it.
package struct ScanRequest: Equatable, Sendable {
    /// A name of the message, absolute or empty; it counts only where it is the descriptor's file.
    package let path: [UInt8]
    /// `NAME=value` each.
    package let variables: [[UInt8]]

    private static let mark: StaticString = "qhpsi-scan 1"
    private static let mostVariables = 256
    /// Of longer messages the broker makes no copy for a scanner that takes a path: such a request has a path.
    package static let copyLimit = 262_144

    /// A request with those of the variables that a scan heeds.
    package init(path: [UInt8], _ environment: Environment) {
        self.path = path
        variables = environment.entries.filter { Self.concernsScans($0) }
    }

    /// The bytes for the wire.
    package var encoded: [UInt8] {
        var bytes = [UInt8](Self.mark) + [0] + path + [0]
        for variable in variables { bytes += variable + [0] }
        return bytes
    }

    /// Read what came; nil when it is no request, or has a variable that no scan heeds.
    package init?(_ bytes: [UInt8]) {
        guard bytes.last == 0, bytes.count <= BrokerSocket.sizeLimit else { return nil }
        let records = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard records.count >= 2, records.count <= Self.mostVariables + 2,
            Array(records[0]).equals(Self.mark)
        else { return nil }
        path = Array(records[1])
        variables = records.dropFirst(2).map { Array($0) }
        guard path.isEmpty || path.first == UInt8(ascii: "/"),
            variables.allSatisfy({ Self.concernsScans($0) && $0.contains(UInt8(ascii: "=")) })
        else { return nil }
    }

    /// The variables as an environment.
    package var environment: Environment {
        var environment = Environment()
        for variable in variables {
            let name = Array(variable.prefix { $0 != UInt8(ascii: "=") })
            environment.set(name, Array(variable.dropFirst(name.count + 1)))
        }
        return environment
    }

    private static func concernsScans(_ entry: [UInt8]) -> Bool {
        ScanVariables.contains(entry) || entry.starts(with: "TMPDIR=")
    }
}
