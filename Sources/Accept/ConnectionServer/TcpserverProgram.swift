import ByteText
package import CommandLine
import Posix

/// The program tcpserver(1).
package enum TcpserverProgram {
    /// Why the server cannot begin.
    private struct Failure: Error {
        let text: [UInt8]

        init(_ what: StaticString, _ object: [UInt8] = [], _ reason: Errno? = nil) {
            text = [UInt8](what) + object + (reason.map { [UInt8](": ") + $0.words } ?? [])
        }
    }

    /// Serve as the arguments say.
    ///
    /// - Returns: 0 after SIGTERM; 100 for wrong arguments; 111 when it cannot serve.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        let environment = Environment.current
        if let code = SessionStart.run(arguments, environment) { return code }
        let options: ServerOptions
        do throws(ServerOptions.Flaw) {
            options = try ServerOptions(Array(arguments.dropFirst()), environment: environment)
        } catch {
            return explain(error, program)
        }
        do throws(Failure) {
            try serve(options, environment)
            return 0
        } catch {
            return options.verbosity == .nothing
                ? Program.temporary : program.fatal(error.text)
        }
    }

    private static func explain(_ flaw: ServerOptions.Flaw, _ program: Program) -> Int32 {
        switch flaw {
        case .usage: break
        case .unknownOption(let option):
            program.say([UInt8]("illegal option -- ") + [option])
        case .missingArgument(let option):
            program.say([UInt8]("option requires an argument -- ") + [option])
        case .wrongArgument(let option):
            program.say([UInt8]("wrong argument of option -- ") + [option])
        }
        return program.misused()
    }

    private static func serve(
        _ options: ServerOptions, _ environment: Environment
    ) throws(Failure) {
        // Before any descriptor of ours could get its number.
        if let fd = options.readiness, !Process.isOpen(fd) {
            throw Failure("no such descriptor: ", [UInt8](decimal: fd))
        }
        guard let port = Services.port(options.port) else {
            throw Failure("unable to figure out port number for ", options.port)
        }
        let address: ListeningAddress
        do throws(ListeningAddress.Failure) {
            address = try ListeningAddress(options.host, port: port, environment)
        } catch {
            switch error {
            case .unknown: throw Failure("no IP address for ", options.host)
            case .unsure(let reason):
                throw Failure(
                    "temporarily unable to figure out IP address for ", options.host, reason)
            }
        }
        let signals: FileDescriptor
        do throws(Errno) {
            try Process.fillStandardDescriptors()
            Signal.brokenPipe.ignore()
            signals = try Signal.queue([.childEnded, .terminate])
        } catch {
            throw Failure("unable to take signals", [], error)
        }
        // Only the server has the listener, which ends when it lets go.
        let server = ConnectionServer(
            options, listener: try prepare(address, options), signals: signals,
            environment: environment)
        try tellReady(options, server)
        do throws(Errno) { try server.run() } catch {
            throw Failure("unable to wait for connections", [], error)
        }
    }

    /// The listening socket; the process has its user's rights afterwards.
    private static func prepare(
        _ address: ListeningAddress, _ options: ServerOptions
    ) throws(Failure) -> ConnectionServer.Listener {
        let listener = ConnectionServer.Listener(try listen(address, options))
        try changeUser(options)
        return listener
    }

    private static func listen(
        _ address: ListeningAddress, _ options: ServerOptions
    ) throws(Failure) -> FileDescriptor {
        var reason = Errno.noAddressFamily
        for choice in address.choices {
            do throws(Errno) {
                return try .serving(on: choice, backlog: options.backlog)
            } catch {
                reason = error
                if error != .noAddressFamily && error != .noAddress { break }
            }
        }
        throw Failure("unable to bind", [], reason)
    }

    private static func changeUser(_ options: ServerOptions) throws(Failure) {
        if let group = options.group {
            do throws(Errno) { try Process.become(user: nil, group: group) } catch {
                throw Failure("unable to set gid", [], error)
            }
        }
        guard let user = options.user else { return }
        do throws(Errno) {
            if options.group == nil {
                try Process.become(user: user, group: nil)
            } else {
                try Process.setUser(user)
            }
        } catch {
            throw Failure("unable to set uid", [], error)
        }
    }

    /// Print the port if asked, free descriptors 0 and 1, and tell who waits for the server.
    private static func tellReady(
        _ options: ServerOptions, _ server: ConnectionServer
    ) throws(Failure) {
        do throws(Errno) {
            if options.printsPort, let port = try server.port() {
                let output = FileDescriptor(adopting: 1)
                try output.write([UInt8](decimal: port) + [10])
                _ = output.release()
            }
            // Whoever reads descriptor 1 sees its end.
            let null = try FileDescriptor.open([UInt8]("/dev/null"), .readWrite)
            for fd: Int32 in [0, 1] where fd != options.readiness {
                try null.duplicate(to: fd)
            }
            if let fd = options.readiness {
                let descriptor = FileDescriptor(adopting: fd)
                try descriptor.write([10])
                if fd > 2 { try descriptor.close() } else { _ = descriptor.release() }
                if fd < 2 { try null.duplicate(to: fd) }
            }
        } catch {
            throw Failure("unable to tell that the server is ready", [], error)
        }
    }
}
