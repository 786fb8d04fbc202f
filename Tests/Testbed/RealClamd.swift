package import Posix

/// Debian's clamd with a folder, a socket and a database of its own, ended with its owner.
///
/// Swift may end an object after its last mention: hold it with `withExtendedLifetime` or in what runs.
package final class RealClamd {
    /// For `CLAMD_SOCKETS`.
    package let socketPath: String
    /// For `CLAMD_CONF`, and clamdscan's --config-file.
    package var configurationPath: String { folder + "/clamd.conf" }
    /// For `CLAMAV_DATABASE`.
    package var databasePath: String { database.path }
    /// The signatures, which a test may change before `restart` or `reload`.
    package let database: SignatureDatabase

    private let folder: String
    private var running: Running?

    /// Start one and wait until it answers.
    ///
    /// - Parameters:
    ///   - settings: Further lines of clamd.conf(5).
    ///   - temporaryFolder: Where it unpacks; nil: in its own folder.
    ///   - tells: Whether it says what it did not look at because of a limit or a password, as ours does.
    /// - Throws: Also when it does not come up.
    package init(
        _ settings: String = "", temporaryFolder: String? = nil, tells: Bool = true
    ) throws {
        folder = "/tmp/clamd." + String(decoding: uniqueName(), as: UTF8.self)
        socketPath = folder + "/socket"
        database = try SignatureDatabase()
        try Files.makeDirectory(Array(folder.utf8), permissions: 0o755)
        let configuration = try FileDescriptor.open(Array("\(folder)/clamd.conf".utf8), .replace)
        let lines = """
            Foreground yes
            LocalSocket \(socketPath)
            LocalSocketMode 666
            FixStaleSocket yes
            DatabaseDirectory \(database.path)
            TemporaryDirectory \(temporaryFolder ?? folder)
            AlertExceedsMax \(tells ? "yes" : "no")
            AlertEncrypted \(tells ? "yes" : "no")
            MaxRecursion 24
            ExitOnOOM yes
            \(settings)

            """
        try configuration.write(Array(lines.utf8))
        try start()
        try waitUntilReady()
    }

    deinit {
        kill()
        // What a test leaves behind harms no other.
        _ = try? shell("rm -rf '\(folder)'")
    }

    /// Start it, without waiting until it answers.
    package func start() throws {
        let command = Command(
            try Tools.path(of: "clamd"), ["--config-file=\(folder)/clamd.conf"])
        running = try command.start()
    }

    /// Kill it at once, if it runs; its socket's file stays.
    package func kill() {
        guard let running else { return }
        running.child.killGroup()
        _ = try? running.child.wait()  // It may have ended by itself.
        self.running = nil
    }

    /// Stop it in its tracks (SIGSTOP): its socket still takes connections.
    package func stop() throws(Errno) { try signal(.stop) }

    /// Let it go on after `stop`.
    package func `continue`() throws(Errno) { try signal(.continue) }

    /// Kill it, start it again and wait until it answers.
    package func restart() throws {
        kill()
        try start()
        try waitUntilReady()
    }

    private func signal(_ signal: Signal) throws(Errno) {
        guard let running else { throw .noSuchProcess }
        try running.child.signal(signal)
    }

    /// Wait until it answers a PING.
    package func waitUntilReady(seconds: Int = 60) throws {
        let deadline = Deadline(milliseconds: seconds * 1000)
        while !deadline.hasPassed {
            if (try? answer(to: "zPING\0", until: deadline)) == Array("PONG\0".utf8) { return }
            Clock.sleep(milliseconds: 20)
        }
        let output = try running?.output(1) ?? []
        throw TestbedFailure(
            text: "clamd does not answer: " + String(decoding: output, as: UTF8.self))
    }

    /// Send it a command on a connection of its own, and read all it says.
    package func answer(to command: String, until deadline: Deadline) throws(Errno) -> [UInt8] {
        guard let address = SocketAddress.local(Array(socketPath.utf8)) else { throw .nameTooLong }
        let socket = try FileDescriptor.connect(to: address, until: deadline)
        try socket.write(Array(command.utf8))
        try socket.setNonBlocking(false)
        guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
            throw .timedOut
        }
        return try socket.readToEnd(limit: 1 << 20)
    }
}
