import Posix

/// Something that listens where clamd would, and does what a script says, ended with its owner.
///
/// Swift may end an object after its last mention: hold it with `withExtendedLifetime` or in what runs.
package final class FakeClamd {
    /// One thing it does on a connection.
    package enum Step: Sendable {
        /// Read up to and with the NUL of a command.
        case readCommand
        /// Read the chunks of INSTREAM to the last, empty one.
        case readMessage
        /// Read so many bytes.
        case read(Int)
        /// Say these words, without adding a NUL.
        case say(String)
        /// Say so many bytes of the same kind.
        case repeating(UInt8, Int)
        /// Say these words byte by byte, with pauses of so many milliseconds.
        case dribble(String, Int)
        /// Do nothing for so many milliseconds.
        case pause(Int)
        /// Do nothing until the fake is ended.
        case stall
    }

    /// One word of `CLAMD_SOCKETS`.
    package let address: String
    private let thread: Thread
    /// The end of a pipe whose other end tells the thread when this is gone.
    private var life: FileDescriptor?

    /// Listen.
    ///
    /// - Parameters:
    ///   - scripts: What it does on the first connection, the second and so on; the last stays. After its
    ///     script a connection is closed.
    ///   - overTCP: Whether it listens on a port of 127.0.0.1 rather than on a path.
    /// - Throws: When it cannot listen.
    package init(_ scripts: [Step]..., overTCP: Bool = false) throws {
        let path = "/tmp/fake-clamd." + String(decoding: uniqueName(), as: UTF8.self)
        let place: SocketAddress? =
            overTCP ? .internet(Array("127.0.0.1".utf8), port: 0) : .local(Array(path.utf8))
        guard let place else { throw TestbedFailure(text: "no address for a fake clamd") }
        let listener = try FileDescriptor.listening(on: place, backlog: 50)
        address = overTCP ? "tcp:127.0.0.1:\(try listener.port())" : path
        let pipe = try Pipe()
        life = try pipe.writing.duplicate()
        let server = Server(listener, end: try pipe.reading.duplicate(), scripts)
        thread = try Thread { server.run() }
    }

    deinit {
        life = nil
        thread.join()
        if address.hasPrefix("/") {
            do throws(Errno) { try Files.unlink(Array(address.utf8)) } catch {
                // A test may have removed it.
            }
        }
    }
}

/// The fake's thread: one connection after the other.
private final class Server: Sendable {
    private let listener: FileDescriptor
    private let end: FileDescriptor
    private let scripts: [[FakeClamd.Step]]

    init(
        _ listener: consuming FileDescriptor, end: consuming FileDescriptor,
        _ scripts: [[FakeClamd.Step]]
    ) {
        self.listener = listener
        self.end = end
        self.scripts = scripts
    }

    func run() {
        var number = 0
        do throws(Errno) {
            while true {
                try wait(for: listener.rawValue, .readable)
                let peer = try listener.accept(until: nil)
                do throws(Errno) {
                    for step in scripts[min(number, scripts.count - 1)] { try perform(step, peer) }
                } catch {
                    // The client has left, or the fake is to end: the next wait tells.
                }
                number += 1
            }
        } catch {
            // The fake is to end.
        }
    }

    /// - Throws: `Errno.interrupted` when the fake is to end.
    private func wait(
        for fd: Int32, _ interest: Polling.Interest, milliseconds: Int? = nil
    ) throws(Errno) {
        let ready = try Polling.waitForAny(
            [(end.rawValue, .readable), (fd, interest)],
            until: milliseconds.map { Deadline(milliseconds: $0) })
        if ready == 0 { throw .interrupted }
    }

    private func perform(_ step: FakeClamd.Step, _ peer: borrowing FileDescriptor) throws(Errno) {
        switch step {
        case .readCommand: while try read(1, from: peer) != [0] {}
        case .readMessage:
            while true {
                let size = try read(4, from: peer).reduce(0) { $0 << 8 | Int($1) }
                if size == 0 { return }
                _ = try read(size, from: peer)
            }
        case .read(let count): _ = try read(count, from: peer)
        case .say(let words): try send(Array(words.utf8), to: peer)
        case .repeating(let byte, let count):
            try send([UInt8](repeating: byte, count: count), to: peer)
        case .dribble(let words, let pause):
            for byte in words.utf8 {
                try send([byte], to: peer)
                Clock.sleep(milliseconds: pause)
            }
        case .pause(let milliseconds): Clock.sleep(milliseconds: milliseconds)
        case .stall: try wait(for: end.rawValue, .readable)
        }
    }

    /// Exactly so many bytes; the client's hanging up is an error.
    private func read(_ count: Int, from peer: borrowing FileDescriptor) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            try wait(for: peer.rawValue, .readable)
            var buffer = [UInt8](repeating: 0, count: min(count - all.count, 65536))
            let came = try peer.read(into: &buffer)
            if came == 0 { throw .connectionReset }
            all.append(contentsOf: buffer[..<came])
        }
        return all
    }

    private func send(_ bytes: [UInt8], to peer: borrowing FileDescriptor) throws(Errno) {
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                sent += try peer.send(bytes, sent..<bytes.count)
            } catch {
                guard error == .wouldBlock else { throw error }
                try wait(for: peer.rawValue, .writable)
            }
        }
    }
}
