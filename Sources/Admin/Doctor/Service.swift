import AdminReport
import ByteText
import ControlFiles
import Posix

/// A supervised service of the suite; see supervise(8).
struct Service {
    let name: String
    private let folder: [UInt8]

    static func all(in instance: Instance) -> [Service] {
        let base = instance.path("/etc/service")
        return Machine.names(base).filter {
            $0.hasPrefix("qmail-") || ["clamd", "freshclam", "qhpsid"].contains($0)
        }.map { Service(name: $0, folder: base + Array("/\($0)".utf8)) }
    }

    var isSMTP: Bool { name.hasPrefix("qmail-smtpd") }

    func path(_ name: String) -> [UInt8] { folder + Array("/\(name)".utf8) }

    var shown: String { String(printable: folder) }

    /// Whether it is not started by itself.
    var isKeptDown: Bool { exists("down") }

    func exists(_ name: String) -> Bool {
        do throws(Errno) {
            _ = try FileStatus(following: path(name))
            return true
        } catch {
            return false
        }
    }

    /// Its file run, if it is there and nobody may execute it.
    var unstartable: String? {
        do throws(Errno) {
            let path = path("run")
            let status = try FileStatus(following: path)
            return status.permissions & 0o111 == 0 ? String(printable: path) : nil
        } catch {
            return nil
        }
    }

    /// What supervise(8) says of it.
    enum State: Equatable {
        case up(process: UInt32, seconds: Int, isPaused: Bool)
        case down
        /// No supervise runs.
        case unsupervised
        case closed
        case malformed
    }

    /// Read the state of the service, or of its logger, in the folder `supervise`.
    func state(of supervised: String, now: Int) -> State {
        do throws(Errno) {
            // Nobody reads the FIFO when there is no supervise; see svok(8).
            _ = try FileDescriptor.open(path(supervised + "/ok"), .writeNonBlocking)
            let record = try Files.contents(path(supervised + "/status"), limit: 64)
            return Self.state(record, now: now)
        } catch {
            return error == .accessDenied || error == .notPermitted ? .closed : .unsupervised
        }
    }

    /// Read 12 bytes of TAI64N, the process with its low byte first, and two flags.
    static func state(_ record: [UInt8], now: Int) -> State {
        guard record.count >= 18 else { return .malformed }
        let seconds = record[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // TAI64 counts from 1970 with 2^62 and 10 leap seconds more.
        let since = Int(truncatingIfNeeded: seconds &- (1 << 62 + 10))
        let process = record[12..<16].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if process == 0 { return .down }
        let (age, overflow) = now.subtractingReportingOverflow(since)
        return .up(
            process: process, seconds: overflow ? 0 : max(0, age), isPaused: record[16] != 0)
    }
}
