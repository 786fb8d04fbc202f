import ByteText
package import CScanPlugin
package import Posix
package import ScanProtocol

/// Both sides of qhpsi_plugin.h in Swift; see qhpsi_plugin(3).
///
/// What a plugin says becomes a verdict, and a verdict what a plugin says.
package enum PluginAnswer {
    /// Fill in what `virusscan_v1` gives back.
    ///
    /// - Parameters:
    ///   - verdict: What the scan said.
    ///   - scanner: Who scanned.
    ///   - result: The host's structure; texts that are too long for it are cut.
    /// - Returns: The function's value.
    package static func give(
        _ verdict: Verdict, by scanner: [UInt8], into result: inout qhpsi_result
    ) -> Int32 {
        fill(&result.scanner, with: scanner)
        switch verdict {
        case .clean: return QHPSI_CLEAN
        case .infected(let signature):
            fill(&result.signature, with: signature)
            return QHPSI_INFECTED
        case .notScanned(let reason):
            fill(&result.reason, with: reason)
            return QHPSI_NOT_SCANNED
        case .failed(let reason):
            fill(&result.reason, with: reason)
            return QHPSI_FAILED
        }
    }

    /// What `virusscan` of a plugin in Swift returns: as `virusscan_v1`, without the texts.
    ///
    /// - Parameters:
    ///   - path: The message's path.
    ///   - scan: Scans the open message.
    /// - Returns: The function's value.
    package static func give(
        toPath path: UnsafePointer<CChar>, scan: (borrowing FileDescriptor) -> Verdict
    ) -> Int32 {
        do throws(Errno) {
            let file = try FileDescriptor.open([UInt8](cString: path), .read)
            var ignored = qhpsi_result()
            return give(scan(file), by: [], into: &ignored)
        } catch {
            return QHPSI_FAILED
        }
    }

    /// What `virusscan_v1` said.
    ///
    /// - Parameters:
    ///   - value: What it returned.
    ///   - result: What it filled in; a text without a NUL ends with its array.
    /// - Returns: Failed for a value that qhpsi_plugin.h does not have.
    package static func take(_ value: Int32, _ result: qhpsi_result) -> Verdict {
        switch value {
        case QHPSI_CLEAN: return .clean
        case QHPSI_INFECTED: return .infected(signature: text(result.signature))
        case QHPSI_NOT_SCANNED: return .notScanned(reason: text(result.reason))
        case QHPSI_FAILED: return .failed(reason: text(result.reason))
        default: return unknown(value)
        }
    }

    /// What `virusscan` said, which has no texts.
    ///
    /// - Parameters:
    ///   - value: What it returned.
    ///   - infected: The value that means infected, `QHPSIRC`.
    ///   - clean: The value that means clean, `QHPSIRN`.
    /// - Returns: Failed for every other value.
    package static func take(_ value: Int32, infected: Int, clean: Int) -> Verdict {
        if Int(value) == infected { return .infected(signature: []) }
        return Int(value) == clean ? .clean : unknown(value)
    }

    /// Who scanned; empty when the plugin does not say.
    package static func scanner(_ result: qhpsi_result) -> [UInt8] { text(result.scanner) }

    private static func unknown(_ value: Int32) -> Verdict {
        var reason = [UInt8]("returned ")
        reason.append(decimal: value)
        return .failed(reason: reason)
    }

    // C's arrays come as tuples, whose bytes these two see.
    private static func fill<Characters>(_ field: inout Characters, with text: [UInt8]) {
        withUnsafeMutableBytes(of: &field) { raw in
            let kept = text.prefix(raw.count - 1)
            raw.copyBytes(from: kept)
            raw[kept.count] = 0
        }
    }

    private static func text<Characters>(_ field: Characters) -> [UInt8] {
        withUnsafeBytes(of: field) { Array($0.prefix { $0 != 0 }) }
    }
}
