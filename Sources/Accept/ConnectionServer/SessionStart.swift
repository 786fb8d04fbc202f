import ByteText
import ControlFiles
import Posix
import Resolver

/// The beginning of a session for which names must be asked for: its own process waits for them, not the server.
///
/// Such a process is the server's program again under another name, with the sides of the connection before the
/// server's arguments. It does what the server does at once when there is nothing to ask for, and becomes the program.
struct SessionStart {
    /// The first argument of such a process, which nobody else gives it.
    static let name: StaticString = "tcpserver: asking for names"
    private static let denied: Int32 = 100
    private static let unable: Int32 = 111

    private let path: [UInt8]
    private let arguments: [[UInt8]]
    private let environment: Environment

    /// How a server with these arguments, without the program's name, and this environment does it.
    init(_ arguments: [[UInt8]], _ environment: Environment) {
        // Where /proc is it is this very program, though its file may have been replaced.
        let link = [UInt8]("/proc/self/exe")
        path = Files.isExecutable(link) ? link : Process.executedPath
        self.arguments = arguments
        self.environment = environment
    }

    /// Start one; `others` is how many sessions the client has, and `image` one of the control files.
    func start(_ connection: Connection, others: Int, image: Int32?) throws(Errno) -> Child {
        let sides = connection.sides
        let words = [
            [UInt8](Self.name), sides.local.text, [UInt8](decimal: sides.local.port),
            sides.remote.text, [UInt8](decimal: sides.remote.port), [UInt8](decimal: others),
        ]
        let socket = connection.socket.rawValue
        var launch = Launch(
            path, arguments: words + arguments, environment: environment,
            descriptors: [socket, socket, 2])
        launch.hand(over: image)
        return try launch.startAside()
    }

    /// Be such a process; nil when these are not the arguments of one.
    static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Int32? {
        guard arguments.count > 6, arguments[0].equals(name),
            let local = Sides.Side(arguments[1], arguments[2]),
            let remote = Sides.Side(arguments[3], arguments[4]),
            let others = arguments[5].decimalValue
        else { return nil }
        let options: ServerOptions
        do throws(ServerOptions.Flaw) {
            options = try ServerOptions(Array(arguments[6...]), environment: environment)
        } catch {
            return nil
        }
        // Until the program runs: a log that nobody reads ends no session.
        Signal.brokenPipe.ignore()
        return begin(Sides(local: local, remote: remote), others, options, environment)
    }

    private static func begin(
        _ sides: Sides, _ others: Int, _ options: ServerOptions, _ environment: Environment
    ) -> Int32 {
        var log = ServerLog(options)
        defer { log.flush() }
        log.begin(Process.identifier, sides)
        log.flush()
        let names = ClientNames(of: sides, options, .configured(environment))
        let admission = Admission(options, environment: environment)
        let program = SessionProgram(options.command, environment)
        switch admission.verdict(sides, names, others: others) {
        case .allowed(let environment):
            log.decide("ok", Process.identifier, sides, names)
            log.flush()
            let reason: Errno
            do throws(Errno) {
                let image = environment[ControlImage.variable].flatMap { $0.decimalValue }
                reason = try program.launch(
                    on: 0, image: image.map { Int32(clamping: $0) }, environment
                ).become()
            } catch {
                reason = error
            }
            log.drop("unable to run ", program.name, reason.words)
        case .denied(let limit):
            log.decide("deny", Process.identifier, sides, names, addressLimit: limit)
            return denied
        case .undecided(let reason):
            log.drop("unable to read ", options.rules ?? [], reason.words)
        }
        return unable
    }
}
