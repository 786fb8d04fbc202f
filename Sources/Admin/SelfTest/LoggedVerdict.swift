import AdminReport
import ByteText
import ControlFiles
import Posix

/// What the log of an SMTP service says of a message that has left the queue already.
enum LoggedVerdict {
    /// Milliseconds in which a logger writes a line at the latest.
    private static let patience = 2000
    /// Bytes at a log's end in which the line must be.
    private static let tailSize = 1 << 20

    /// Look for a message's line.
    ///
    /// - Parameters:
    ///   - id: Its number in the queue; numbers are used again.
    ///   - start: Seconds since 1970 before which the line was not written.
    ///   - instance: Whose logs.
    /// - Returns: Nil when there is none, or none that may be read, or when the message was not queued.
    static func find(id: UInt64, since start: Int, in instance: Instance) -> StoredVerdict? {
        let deadline = Deadline(milliseconds: patience)
        while true {
            for text in logs(of: instance) {
                for line in text.lines.reversed() {
                    guard let seconds = seconds(of: line), seconds >= start else { break }
                    let pairs = pairs(of: line)
                    guard value("id", pairs) == "\(id)" else { continue }
                    return verdict(id: id, pairs)
                }
            }
            if deadline.hasPassed { return nil }
            Clock.sleep(milliseconds: 50)
        }
    }

    private static func logs(of instance: Instance) -> [[UInt8]] {
        let base = instance.path("/var/log/qhpsi")
        var texts: [[UInt8]] = []
        do throws(Errno) {
            for name in try Files.names(in: base) where name.starts(with: "qmail-smtpd") {
                let path = base + [UInt8(ascii: "/")] + name + [UInt8]("/current")
                if let tail = try tail(of: path) { texts.append(tail) }
            }
        } catch {
            // One that only others may read, or a service that has logged nothing.
        }
        return texts
    }

    /// The end of a log, however long it is; nil when it is no file.
    private static func tail(of path: [UInt8]) throws(Errno) -> [UInt8]? {
        guard let file = try FileDescriptor.openToRead(path, if: { $0.kind == .file }) else {
            return nil
        }
        try file.seek(to: max(0, try file.status().size - tailSize))
        // It may have grown meanwhile.
        return try file.readToEnd(limit: 2 * tailSize)
    }

    /// The time that multilog(8) put before a line: `@`, then TAI64N in hexadecimal.
    private static func seconds(of line: [UInt8]) -> Int? {
        guard line.count > 25, line[0] == UInt8(ascii: "@"),
            let label = UInt64(String(decoding: line[1...16], as: UTF8.self), radix: 16)
        else { return nil }
        // TAI64 counts from 1970 with 2^62 and 10 leap seconds more.
        return Int(truncatingIfNeeded: label &- (1 << 62 + 10))
    }

    private static func pairs(of line: [UInt8]) -> [(name: String, value: String)] {
        line.words.compactMap { word in
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return (
                String(printable: word[..<equals]),
                String(printable: decoded(word[(equals + 1)...]))
            )
        }
    }

    /// The bytes for which `%XX` stands in a log line.
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func value(_ name: String, _ pairs: [(name: String, value: String)]) -> String {
        pairs.first { $0.name == name }?.value ?? ""
    }

    private static func verdict(
        id: UInt64, _ pairs: [(name: String, value: String)]
    ) -> StoredVerdict? {
        let outcome = value("outcome", pairs)
        let verdict = value("verdict", pairs)
        guard outcome == "accepted" || outcome == "forwarded", !verdict.isEmpty else { return nil }
        let signature = value("signature", pairs)
        return StoredVerdict(
            deliveredFrom: value("queue", pairs) + "/\(id)", verdict: verdict,
            signature: signature.isEmpty ? nil : signature, isForwarded: outcome == "forwarded")
    }
}
