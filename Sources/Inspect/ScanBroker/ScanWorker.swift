import ByteText
import ControlFiles
import Posix
import ScanHost
import ScanWire

/// A process of the broker that takes requests, as qscand: it asks clamd about messages one after the other, and hands
/// over to a process of its own what needs a program or a plugin.
struct ScanWorker: ~Copyable {
    private let listener: FileDescriptor
    private let control: FileDescriptor
    private let rights: ScanRights
    private let instance: Instance

    /// What it tells the broker.
    enum Word {
        static let busy = UInt8(ascii: "b")
        static let idle = UInt8(ascii: "i")
        /// With the connection, the message and the request.
        static let handOver = UInt8(ascii: "x")
    }

    /// After this number of requests another process takes its place, so that no message can reach many others.
    private static let mostRequests = 100
    /// Milliseconds for the request after connecting.
    private static let patience = 1000

    /// Of descriptors that this process got by fork.
    init(
        listener: consuming FileDescriptor, control: consuming FileDescriptor,
        _ rights: ScanRights, _ instance: Instance
    ) {
        self.listener = listener
        self.control = control
        self.rights = rights
        self.instance = instance
    }

    /// Work until the broker closes its side, or enough is done.
    borrowing func run() throws(Errno) {
        var count = 0
        while count < Self.mostRequests {
            let ready = try Polling.waitForAny(
                [(control.rawValue, .readable), (listener.rawValue, .readable)], until: nil)
            if ready == 0 { return }
            guard let connection = try listener.acceptNow() else { continue }
            try control.sendPacket([Word.busy])
            do throws(Errno) { try serve(connection) } catch {
                // Whoever asks has gone, or hears nothing more and takes that for a failed scan.
            }
            Alarm.set(seconds: 0)
            try control.sendPacket([Word.idle])
            count += 1
        }
    }

    private borrowing func serve(_ connection: borrowing FileDescriptor) throws(Errno) {
        guard rights.believes(try connection.peer()) else { return }
        let deadline = Deadline(milliseconds: Self.patience)
        guard try Polling.wait(for: connection.rawValue, .readable, until: deadline) else {
            return
        }
        let packet = try connection.receivePacket()
        guard packet.descriptors.count == 1 else {
            for number in packet.descriptors { _ = FileDescriptor(adopting: number) }
            return
        }
        let message = FileDescriptor(adopting: packet.descriptors[0])
        guard message.isReadableFile(), let request = ScanRequest(packet.bytes) else { return }
        let scan: MessageScan
        do throws(ScanFailure) { scan = try MessageScan(request.environment, instance) } catch {
            let answer = ScanAnswer(error, scanner: [UInt8]("qhpsi"))
            return try connection.sendPacket(answer.encoded)
        }
        try connection.sendPacket(BrokerAnswer.begun)
        if scan.asksClamd {
            // clamd's deadline is kept by the question itself; this ends what hangs elsewhere.
            Alarm.set(seconds: UInt32(clamping: scan.seconds + 3))
            let size = try message.status().size
            let answer = scan.answerOfClamd(on: message)
            let isSame = try message.status().size == size
            try connection.sendPacket((isSame ? answer : .changed).encoded)
        } else {
            let sealed = try SealedMemory.descriptor(of: packet.bytes)
            try control.sendPacket(
                [Word.handOver], [connection.rawValue, message.rawValue, sealed.rawValue])
        }
    }
}
