import ByteText
import CommandLine
import Posix

/// What the arguments of tcpserver(1) ask for.
struct ServerOptions {
    /// How much is told on descriptor 2.
    enum Verbosity { case nothing, errors, connections }

    var verbosity = Verbosity.errors
    /// Sessions at a time, of all clients and of one, which is an address of IPv4 or a /64 of IPv6.
    var limit = 40
    var addressLimit: Int?
    /// The database of rules; nil: every client is served.
    var rules: [UInt8]?
    var servesWithoutRules = false
    /// Sent before anything is known of the client.
    var banner: [UInt8] = []
    var user: UInt32?
    var group: UInt32?
    var printsPort = false
    var backlog: Int32 = 20
    var keepsRoute = false
    var sendsAtOnce = false
    /// TCPLOCALHOST; nil: it is looked up.
    var localName: [UInt8]?
    /// Whether the client's name is looked up, and whether it must have the client's address.
    var looksUpHost = true
    var isParanoid = false
    /// Whether the client's machine is asked for the user, and for how many seconds.
    var asksInfo = true
    var patience = 26
    /// Each connection begins with a proxy's header, which must be there after this many milliseconds.
    var proxyPatience: Int?
    /// Whether sessions get an image of the control files.
    var keepsControl = false
    /// Where a line feed is written when connections can come.
    var readiness: Int32?
    var host: [UInt8] = []
    var port: [UInt8] = []
    /// The program and its arguments.
    var command: [[UInt8]] = []
    /// All of these as they were given.
    let arguments: [[UInt8]]

    /// Whether others must be asked before it is known what becomes of a connection.
    var asksForNames: Bool { looksUpHost || asksInfo || localName == nil }

    /// Why the arguments cannot be used.
    enum Flaw: Error {
        /// Something is missing.
        case usage
        case unknownOption(UInt8)
        case missingArgument(UInt8)
        /// The option's argument is not what it should be.
        case wrongArgument(UInt8)
    }

    /// Read the arguments, without the program's own name.
    init(_ arguments: [[UInt8]], environment: Environment) throws(Flaw) {
        self.arguments = arguments
        var words = OptionWords(arguments[...])
        while let option = words.next() {
            if try !setFlag(option, environment) {
                try Self.checkTakesArgument(option)
                guard let argument = words.value() else { throw .missingArgument(option) }
                guard setValue(option, argument) else { throw .wrongArgument(option) }
            }
        }
        let rest = words.rest
        guard rest.count >= 3 else { throw .usage }
        host = rest[0]
        port = rest[1]
        command = Array(rest[2...])
    }

    private static func checkTakesArgument(_ option: UInt8) throws(Flaw) {
        let known: StaticString = "cCxBgubltyf"
        guard known.withUTF8Buffer({ $0.contains(option) }) else { throw .unknownOption(option) }
    }

    /// Set what an option without an argument says; false when it is none of these.
    private mutating func setFlag(
        _ option: UInt8, _ environment: Environment
    ) throws(Flaw) -> Bool {
        switch option {
        case UInt8(ascii: "q"): verbosity = .nothing
        case UInt8(ascii: "Q"): verbosity = .errors
        case UInt8(ascii: "v"): verbosity = .connections
        case UInt8(ascii: "X"): servesWithoutRules = true
        case UInt8(ascii: "1"): printsPort = true
        case UInt8(ascii: "k"): keepsControl = true
        case UInt8(ascii: "o"): keepsRoute = true
        case UInt8(ascii: "O"): keepsRoute = false
        case UInt8(ascii: "D"): sendsAtOnce = true
        case UInt8(ascii: "d"): sendsAtOnce = false
        case UInt8(ascii: "U"):
            try takeIdentity(environment, option)
        case UInt8(ascii: "h"): looksUpHost = true
        case UInt8(ascii: "H"): looksUpHost = false
        case UInt8(ascii: "p"): isParanoid = true
        case UInt8(ascii: "P"): isParanoid = false
        case UInt8(ascii: "r"): asksInfo = true
        case UInt8(ascii: "R"): asksInfo = false
        default: return false
        }
        return true
    }

    /// Take the user and group of UID and GID, of which one may be missing.
    private mutating func takeIdentity(
        _ environment: Environment, _ option: UInt8
    ) throws(Flaw) {
        let texts = (user: environment["UID"], group: environment["GID"])
        if texts.user == nil, texts.group == nil { throw .wrongArgument(option) }
        if let text = texts.user {
            user = Self.identity(text)
            if user == nil { throw .wrongArgument(option) }
        }
        if let text = texts.group {
            group = Self.identity(text)
            if group == nil { throw .wrongArgument(option) }
        }
    }

    /// Set what an option's argument says; false when it cannot say that.
    private mutating func setValue(_ option: UInt8, _ argument: [UInt8]) -> Bool {
        switch option {
        case UInt8(ascii: "c"):
            guard let number = Self.count(argument) else { return false }
            limit = number
        case UInt8(ascii: "C"):
            guard let number = Self.count(argument) else { return false }
            addressLimit = number
        case UInt8(ascii: "b"):
            guard let number = Self.count(argument) else { return false }
            backlog = Int32(clamping: number)
        case UInt8(ascii: "y"):
            guard let seconds = Self.count(argument) else { return false }
            proxyPatience = seconds * 1000
        case UInt8(ascii: "f"):
            guard let number = argument.decimalValue else { return false }
            readiness = Int32(clamping: number)
        case UInt8(ascii: "u"):
            user = Self.identity(argument)
            return user != nil
        case UInt8(ascii: "g"):
            group = Self.identity(argument)
            return group != nil
        case UInt8(ascii: "x"): rules = argument.isEmpty ? nil : argument
        case UInt8(ascii: "B"): banner = argument
        case UInt8(ascii: "l"): localName = argument
        case UInt8(ascii: "t"):
            guard let seconds = argument.decimalValue, seconds <= 1_000_000 else { return false }
            patience = seconds
        default: return false
        }
        return true
    }

    /// A number from 1 to a million.
    private static func count(_ text: [UInt8]) -> Int? {
        guard let number = text.decimalValue, (1...1_000_000).contains(number) else { return nil }
        return number
    }

    /// A numeric id; the highest number means none.
    private static func identity(_ text: [UInt8]) -> UInt32? {
        guard let number = text.decimalValue, number < UInt32.max else { return nil }
        return UInt32(number)
    }
}
