import Posix
import Testbed

/// A server that does what its script says, whatever the client does; ended with its owner.
final class FakeRemote {
    /// What it does next.
    enum Act: Sendable {
        case say(String)
        case bytes([UInt8])
        /// Read a line.
        case line
        /// Read to the line with one dot.
        case message
        /// Read so many bytes.
        case some(Int)
        case wait(Int)
        /// Say a byte after so many milliseconds, again and again.
        case drip(String, Int)
        /// Say it until the client has gone.
        case flood(String)
        /// Close at once, so that what was not read makes it a reset.
        case close
    }

    let address: String
    let port: UInt16
    private let service: Service
    private let thread: Thread
    private var life: FileDescriptor?

    /// Listen on an address; the nth connection gets the nth script, or the last.
    init(_ scripts: [[Act]], on address: String = "127.0.0.1", port: UInt16 = 0) throws {
        self.address = address
        guard let place = SocketAddress.internet(Array(address.utf8), port: port) else {
            throw TestbedFailure(text: "no address for a fake server")
        }
        let listener = try FileDescriptor.serving(on: place, backlog: 20)
        self.port = try listener.port()
        let pipe = try Pipe()
        life = try pipe.writing.duplicate()
        let service = try Service(listener, try pipe.reading.duplicate(), scripts)
        self.service = service
        thread = try Thread { service.run() }
    }

    convenience init(_ script: [Act]) throws { try self.init([script]) }

    /// What each client said.
    var heard: [String] { get throws { try service.heard() } }

    /// What the nth client said.
    func heard(_ n: Int) throws -> String {
        let all = try heard
        guard n < all.count else { return "no client" }
        return all[n]
    }

    deinit {
        life = nil
        thread.join()
    }
}

private final class Service: Sendable {
    private let listener: FileDescriptor
    private let end: FileDescriptor
    private let scripts: [[FakeRemote.Act]]
    /// An unnamed file: the test and the thread need no lock for it.
    private let transcript: FileDescriptor
    private static let mark: [UInt8] = Array("\u{1}connection\u{1}".utf8)

    init(
        _ listener: consuming FileDescriptor, _ end: consuming FileDescriptor,
        _ scripts: [[FakeRemote.Act]]
    ) throws(Errno) {
        let path = Array("/tmp/fake-remote.".utf8) + uniqueName()
        transcript = try FileDescriptor.open(path, .createNew, permissions: 0o600)
        try Files.unlink(path)
        self.listener = listener
        self.end = end
        self.scripts = scripts
    }

    private struct Over: Error {}

    func heard() throws(Errno) -> [String] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try transcript.read(into: &buffer, at: all.count)
            if count == 0 { break }
            all += buffer[..<count]
        }
        return String(decoding: all, as: UTF8.self)
            .split(separator: "\u{1}connection\u{1}", omittingEmptySubsequences: false)
            .dropFirst().map { String($0) }
    }

    func run() {
        var number = 0
        while let peer = next() {
            do {
                try transcript.write(Self.mark)
                for act in scripts[min(number, scripts.count - 1)] { try perform(act, peer) }
            } catch {
                // The client is gone, or the test is over.
            }
            number += 1
        }
    }

    private func next() -> FileDescriptor? {
        do {
            try wait(listener.rawValue, .readable, 600_000)
            return try listener.accept(until: Deadline(milliseconds: 1000))
        } catch {
            return nil
        }
    }

    private func wait(_ fd: Int32, _ interest: Polling.Interest, _ milliseconds: Int) throws {
        let ready = try Polling.waitForAny(
            [(end.rawValue, .readable), (fd, interest)], until: Deadline(milliseconds: milliseconds)
        )
        if ready != 1 { throw Over() }
    }

    private func perform(_ act: FakeRemote.Act, _ peer: borrowing FileDescriptor) throws {
        switch act {
        case .say(let text): try say(Array(text.utf8), peer)
        case .bytes(let bytes): try say(bytes, peer)
        case .line: try read(peer, 1) { $0.last == 10 }
        case .message:
            // The client waits behind its end.
            try read(peer, 65536) { $0.suffix(5) == [13, 10, 46, 13, 10] || $0 == [46, 13, 10] }
        case .some(let count): try read(peer, 1) { $0.count == count }
        case .wait(let milliseconds):
            _ = try Polling.wait(
                for: end.rawValue, .readable, until: Deadline(milliseconds: milliseconds))
        case .drip(let text, let milliseconds):
            while true {
                for byte in text.utf8 {
                    try perform(.wait(milliseconds), peer)
                    try say([byte], peer)
                    if try Polling.wait(
                        for: end.rawValue, .readable, until: Deadline(milliseconds: 0))
                    {
                        throw Over()
                    }
                }
            }
        case .flood(let text):
            let piece = Array(String(repeating: text, count: 100).utf8)
            while true { try say(piece, peer) }
        case .close: throw Over()
        }
    }

    private func say(_ bytes: [UInt8], _ peer: borrowing FileDescriptor) throws {
        var done = 0
        while done < bytes.count {
            do throws(Errno) { done += try peer.send(bytes, done..<bytes.count) } catch {
                if error != .wouldBlock { throw error }
                try wait(peer.rawValue, .writable, 60_000)
            }
        }
    }

    /// Read in pieces of a size: what is not read stays in the kernel.
    private func read(
        _ peer: borrowing FileDescriptor, _ size: Int, until isEnough: (ArraySlice<UInt8>) -> Bool
    ) throws {
        var came: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: size)
        while true {
            try wait(peer.rawValue, .readable, 60_000)
            let count = try peer.read(into: &buffer)
            guard count > 0 else { break }
            came += buffer[..<count]
            if isEnough(came[...]) { return try transcript.write(came) }
        }
        try transcript.write(came)
        throw Over()
    }
}

/// The script of a server that takes a message, but for what it says otherwise.
func script(
    greeting: String = "220 fake ESMTP\r\n", hello: String = "250-fake\r\n250 8BITMIME\r\n",
    sender: String = "250 2.1.0 ok\r\n", recipient: String = "250 2.1.5 ok\r\n",
    data: String = "354 go\r\n", verdict: String = "250 2.0.0 taken\r\n"
) -> [FakeRemote.Act] {
    [
        .say(greeting), .line, .say(hello), .line, .say(sender), .line, .say(recipient), .line,
        .say(data), .message, .say(verdict), .line,
    ]
}

extension [FakeRemote.Act] {
    /// The script up to its nth act, and then others.
    func cut(_ count: Int, _ more: [FakeRemote.Act] = []) -> [FakeRemote.Act] {
        Array(prefix(count)) + more
    }
}
