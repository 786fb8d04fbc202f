import ByteText
import ControlFiles
import Posix
import ScanHost

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

    /// Longer messages are not copied where the request has the message's name.
    private static let copyLimit = 262_144
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
        do throws(Errno) { try socket.sendPacket(BrokerWord.encoded(answer)) } catch {
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
        let name: [UInt8]
        do throws(Errno) { name = try self.name(request) } catch {
            return ScanAnswer(
                ScanFailure(.scanner, "unable to give the message a name", error),
                scanner: [UInt8]("qhpsid"))
        }
        try placeDescriptors(name)
        return scan.answer(path: name)
    }

    /// As qhpsi has them: the message on 0, and who waits for the answer on 1.
    private func placeDescriptors(_ name: [UInt8]) throws(Errno) {
        let given = FileDescriptor(adopting: message)
        do throws(Errno) {
            // A scanner gets no descriptor that it could write by, nor a position that others move.
            try FileDescriptor.open(name, .read).duplicate(to: 0)
        } catch {
            try given.duplicate(to: 0)
            try given.seek(to: 0)
        }
        try Self.lent(connection) { (socket) throws(Errno) in try socket.duplicate(to: 1) }
    }

    /// What the scanner is told as the message's path.
    private func name(_ request: ScanRequest) throws(Errno) -> [UInt8] {
        let copy = FileDescriptor(adopting: file)
        return try Self.lent(message) { (source) throws(Errno) in
            let status = try source.status()
            if status.size > Self.copyLimit, !request.path.isEmpty {
                let named = try FileStatus(of: request.path)
                if named.inode == status.inode, named.device == status.device {
                    return request.path
                }
            }
            try Self.copy(source, size: status.size, to: copy)
            return path
        }
    }

    private static func copy(
        _ source: borrowing FileDescriptor, size: Int, to copy: borrowing FileDescriptor
    ) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: min(size, portion))
        var offset = 0
        while offset < size {
            let count = try source.read(into: &buffer, at: offset)
            if count == 0 { throw .inputOutput }
            try copy.write(buffer.span.bytes.extracting(first: count), at: offset)
            offset += count
        }
    }

    /// Use a descriptor that stays open.
    private static func lent<Value>(
        _ number: Int32, _ body: (borrowing FileDescriptor) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        let file = FileDescriptor(adopting: number)
        do throws(Errno) {
            let value = try body(file)
            _ = file.release()
            return value
        } catch {
            _ = file.release()
            throw error
        }
    }
}
