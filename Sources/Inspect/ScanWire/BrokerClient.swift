import ByteText
package import ControlFiles
import Posix
import ScanProtocol

/// A connection of qmail-queue or qhpsi to the scan broker, before anything is said.
///
/// While the broker has not begun the scan can be made in the other way. Once it has, its answer counts or the scan has
/// failed: a message never has two verdicts.
package struct BrokerClient: ~Copyable {
    private let socket: FileDescriptor

    /// Milliseconds in which a broker that works begins.
    private static let patience = 1000
    /// Milliseconds beyond the scan's own, in which the broker ends a scanner that is late; less than qmail-queue waits.
    private static let grace = 3500

    /// Connect with the rights that this process has now; nil when nobody listens, or cannot at once.
    package init?(_ instance: Instance) {
        do throws(Errno) {
            socket = try BrokerSocket.connect(to: BrokerSocket.path(instance))
        } catch {
            return nil
        }
    }

    /// Have the message on a descriptor scanned.
    ///
    /// - Parameters:
    ///   - message: Open for reading.
    ///   - request: What else the broker needs.
    ///   - seconds: How long the scan may take.
    ///   - watched: When the other side of this descriptor is gone nobody wants the answer any more; nil: that
    ///     is never so while this process is there.
    /// - Returns: The answer; nil when the broker has not begun.
    package borrowing func answer(
        on message: Int32, _ request: ScanRequest, seconds: Int, watched: Int32? = nil
    ) -> BrokerAnswer? {
        let deadline = Deadline(milliseconds: seconds * 1000 + Self.grace)
        do throws(Errno) {
            let bytes = request.encoded
            guard bytes.count <= BrokerSocket.sizeLimit else { return nil }
            send(bytes, message)
            let start = Deadline(milliseconds: Self.patience)
            guard try Polling.wait(for: socket.rawValue, .readable, until: start) else {
                return nil
            }
            let first = try packet()
            if first != BrokerAnswer.begun {
                // It has enough to do, and says so.
                guard let refusal = BrokerAnswer(first), case .failed = refusal.report.verdict
                else { return nil }
                return refusal
            }
        } catch {
            return nil
        }
        do throws(Errno) { return try awaited(until: deadline, watched) } catch {
            return .failed([UInt8]("the scan broker is gone: ") + error.text)
        }
    }

    /// Who refuses need not read what is asked: that cannot be sent then, and the answer is there.
    private borrowing func send(_ request: [UInt8], _ message: Int32) {
        do throws(Errno) { try socket.sendPacket(request, [message]) } catch {
            // Then there is an answer, or nothing, for which nobody waits: the connection has ended.
        }
    }

    private borrowing func awaited(
        until deadline: Deadline, _ watched: Int32?
    ) throws(Errno) -> BrokerAnswer {
        var wanted: [(fd: Int32, interest: Polling.Interest)] = [(socket.rawValue, .readable)]
        if let watched { wanted.append((watched, .hangUp)) }
        let ready = try Polling.waitForAny(wanted, until: deadline)
        guard let ready else {
            return .late([UInt8]("the scan broker did not answer in time"))
        }
        if ready == 1 { return .failed([UInt8]("nobody waits for the answer")) }
        let bytes = try packet()
        if bytes.isEmpty { return .failed([UInt8]("the scan broker is gone")) }
        return BrokerAnswer(bytes)
            ?? .failed([UInt8]("the scan broker's answer makes no sense"))
    }

    /// A packet whose descriptors are not wanted; empty: the connection is closed.
    private borrowing func packet() throws(Errno) -> [UInt8] {
        let packet: BrokerSocket.Packet
        do throws(Errno) { packet = try received() } catch {
            // The other side has closed with something unread; what it said before comes now.
            guard error == .connectionReset else { throw error }
            packet = try received()
        }
        for number in packet.descriptors { _ = FileDescriptor(adopting: number) }
        return packet.isCut ? [0] : packet.bytes
    }

    private borrowing func received() throws(Errno) -> BrokerSocket.Packet {
        try socket.receivePacket(limit: ScanReport.sizeLimit + 2)
    }
}
