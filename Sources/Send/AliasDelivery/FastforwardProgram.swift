import AliasFile
import ByteText
import ConstantDatabases
import ControlFiles
import LocalDelivery
import LocalUsers
import Posix

/// The program fastforward(1).
package enum FastforwardProgram {
    private static let usage: StaticString = """
        fastforward: usage: fastforward [ -nNpPdD ] aliases.cdb

        """
    /// The exit code that ends a .qmail file's lines.
    private static let done: Int32 = 99

    /// Send the message on descriptor 0 on as the aliases say.
    ///
    /// - Returns: The exit code, as of a program in a .qmail file.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        guard let options = FastforwardCall(arguments.dropFirst()) else {
            let asksForHelp =
                arguments.count == 2
                && (arguments[1].equals("--help") || arguments[1].equals("--version"))
            FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
            return asksForHelp ? 0 : DeliveryFailure.Code.permanent.rawValue
        }
        Signal.brokenPipe.ignore()
        do throws(DeliveryFailure) {
            return try run(options, Environment.current)
        } catch {
            if !error.text.isEmpty { FileDescriptor.tell(error.text + [10], on: 1) }
            return error.code.rawValue
        }
    }

    private static func run(
        _ options: FastforwardCall, _ environment: Environment
    ) throws(DeliveryFailure) -> Int32 {
        let host = try value("HOST", environment)
        let local: [UInt8]
        if options.usesDefault {
            local = try value("DEFAULT", environment)
        } else {
            let recipient = try value("RECIPIENT", environment)
            guard let at = recipient.lastIndex(of: UInt8(ascii: "@")) else {
                throw DeliveryFailure(.permanent, "The recipient's address has no domain. (#5.1.3)")
            }
            local = Array(recipient[..<at])
        }
        let aliases = try AliasDatabase(options.database)
        guard let (name, targets) = try aliases.find(local: local, host: host) else {
            if options.passes { return 0 }
            throw DeliveryFailure(.permanent, "Sorry, no mailbox here by that name. (#5.1.1)")
        }
        let expansion = try aliases.expand(name, targets)
        let recipients = try qualified(expansion.addresses, environment)
        let isOwned = try aliases.has([UInt8]("owner-") + name)
        var sender = try value("SENDER", environment)
        if isOwned, !sender.isEmpty, !sender.equals("#@[]") {
            sender = [UInt8]("owner-") + name + [UInt8(ascii: "@")] + host
        }
        if options.isDry {
            tell(expansion.programs, recipients, sender)
        } else {
            try deliver(expansion.programs, recipients, sender, environment)
        }
        return options.passes ? done : 0
    }

    private static func deliver(
        _ programs: [[UInt8]], _ recipients: [[UInt8]], _ sender: [UInt8],
        _ environment: Environment
    ) throws(DeliveryFailure) {
        let message = FileDescriptor(adopting: 0)
        for program in programs {
            _ = try ProgramDelivery.run(program, message: message, environment: environment)
        }
        if recipients.isEmpty { return }
        let process = try Forwarding.send(
            message, head: try deliveredTo(environment), sender: sender, to: recipients,
            environment: environment)
        FileDescriptor.tell(
            [UInt8]("fastforward: qp ") + [UInt8](decimal: process) + [10], on: 1)
    }

    private static func tell(_ programs: [[UInt8]], _ recipients: [[UInt8]], _ sender: [UInt8]) {
        var text = [UInt8]("from <") + sender.singleLine + [UInt8(ascii: ">"), 10]
        for program in programs { text += [UInt8]("program ") + program.singleLine + [10] }
        for recipient in recipients {
            text += [UInt8]("to <") + recipient.singleLine + [UInt8(ascii: ">"), 10]
        }
        FileDescriptor.tell(text, on: 1)
    }

    /// The addresses, names among them with the machine's own domain.
    private static func qualified(
        _ addresses: [[UInt8]], _ environment: Environment
    ) throws(DeliveryFailure) -> [[UInt8]] {
        guard addresses.contains(where: { !$0.contains(UInt8(ascii: "@")) }) else {
            return addresses
        }
        let control = Control(of: Instance.current(environment))
        var domain: [UInt8]?
        do throws(ControlFailure) {
            domain = try control.line("envnoathost")
            if domain == nil { domain = try control.line("me") }
        } catch {
            throw DeliveryFailure(.temporary, words: error.text + [UInt8](" (#4.3.0)"))
        }
        let end = [UInt8(ascii: "@")] + (domain ?? Process.hostName)
        return addresses.map { $0.contains(UInt8(ascii: "@")) ? $0 : $0 + end }
    }

    /// The line that says that the message was here, of the variable DTLINE: one line whatever is in that.
    private static func deliveredTo(_ environment: Environment) throws(DeliveryFailure) -> [UInt8] {
        var line = try value("DTLINE", environment)
        if line.last == 10 { line.removeLast() }
        return line.singleLine + [10]
    }

    /// A variable that qmail-local sets.
    private static func value(
        _ name: StaticString, _ environment: Environment
    ) throws(DeliveryFailure) -> [UInt8] {
        guard let value = environment[name] else {
            throw DeliveryFailure(
                .temporary,
                words: [UInt8]("fastforward: fatal: ") + [UInt8](name)
                    + [UInt8](" is not set; it is for .qmail files. (#4.3.5)"))
        }
        return value
    }
}
