import ByteText
import ControlFiles
import Posix
import ScanHost
import ScanWire

/// The process of one scan by a program or plugins: it watches over them, and answers whoever asked.
struct ScanProcess {
    let connection: Int32
    let message: Int32
    /// A `ScanRequest`.
    let request: Int32
    /// Where scanners that take a path find the message, and the file itself, which is still empty.
    let path: [UInt8]
    let file: Int32
    let rights: ScanRights
    let instance: Instance

    private static let portion = 65536

    /// Be it, from the fork on.
    func run(_ isolation: borrowing Isolation) -> Never {
        let answer: ScanAnswer
        do throws(Errno) {
            try Process.closeDescriptors(except: [0, 1, 2, connection, message, request, file])
            try isolation.part()
            try rights.drop(as: isolation.hasNamespaces ? .alone : .beside)
            answer = try scan()
        } catch {
            answer = ScanAnswer(
                ScanFailure(.privilege, "unable to make the scan's process", error),
                scanner: [UInt8]("qhpsid"))
        }
        let socket = FileDescriptor(adopting: connection)
        do throws(Errno) { try socket.sendPacket(answer.encoded) } catch {
            // Whoever asked is gone.
        }
        Process.exit(0)
    }

    private func scan() throws(Errno) -> ScanAnswer {
        let sealed = FileDescriptor(adopting: request)
        try sealed.seek(to: 0)
        let bytes = try sealed.readToEnd(limit: BrokerSocket.sizeLimit)
        guard let request = ScanRequest(bytes) else { throw .invalid }
        let scan: MessageScan
        do throws(ScanFailure) { scan = try MessageScan(request.environment, instance) } catch {
            return ScanAnswer(error, scanner: [UInt8]("qhpsi"))
        }
        let given = FileDescriptor(adopting: message)
        let size = try given.status().size
        let name: [UInt8]
        let deadline = Deadline(milliseconds: scan.seconds * 1000)
        do throws(Errno) { name = try self.name(of: given, size, request, until: deadline) } catch {
            return ScanAnswer(
                ScanFailure(.scanner, "unable to give the message a name", error),
                scanner: [UInt8]("qhpsid"))
        }
        try placeDescriptors(given, name)
        let answer = scan.answer(path: name)
        return try given.status().size == size ? answer : .changed
    }

    /// As qhpsi has them: the message on 0, and who waits for the answer on 1.
    private func placeDescriptors(
        _ given: borrowing FileDescriptor, _ name: [UInt8]
    ) throws(Errno) {
        do throws(Errno) {
            // A scanner gets no descriptor that it could write by, nor a position that others move.
            try FileDescriptor.open(name, .read).duplicate(to: 0)
        } catch {
            try given.duplicate(to: 0)
            try given.seek(to: 0)
        }
        let socket = FileDescriptor(adopting: connection)
        do throws(Errno) { try socket.duplicate(to: 1) } catch {
            _ = socket.release()
            throw error
        }
        _ = socket.release()
    }

    /// What the scanner is told as the message's path.
    private func name(
        of message: borrowing FileDescriptor, _ size: Int, _ request: ScanRequest,
        until deadline: Deadline
    ) throws(Errno) -> [UInt8] {
        let copy = FileDescriptor(adopting: file)
        let status = try message.status()
        // A long message is not copied where the request has its name.
        if size > ScanRequest.copyLimit, Self.isName(request.path, of: status) {
            return request.path
        }
        try self.copy(message, size: size, to: copy, until: deadline)
        return path
    }

    private static func isName(_ path: [UInt8], of status: FileStatus) -> Bool {
        do throws(Errno) {
            let named = try FileStatus(of: path)
            return named.inode == status.inode && named.device == status.device
        } catch {
            return false
        }
    }

    /// A file can have any size and nothing in it, so there is a look at the time, and whether anybody still waits.
    private func copy(
        _ source: borrowing FileDescriptor, size: Int, to copy: borrowing FileDescriptor,
        until deadline: Deadline
    ) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: min(size, Self.portion))
        var offset = 0
        while offset < size {
            let count = try source.read(into: &buffer, at: offset)
            if count == 0 { throw .inputOutput }
            if offset >= ScanRequest.copyLimit {
                if deadline.hasPassed { throw .timedOut }
                let now = Deadline(milliseconds: 0)
                if try Polling.wait(for: connection, .hangUp, until: now) { throw .brokenPipe }
            }
            try copy.write(buffer.span.bytes.extracting(first: count), at: offset)
            offset += count
        }
    }
}
