import AliasFile
import ByteText
package import CommandLine
import ConstantDatabases
import ControlFiles
import LocalDelivery
import LocalUsers
import Posix

/// The program fastforward(1).
package enum FastforwardProgram {
    /// The exit code that ends a .qmail file's lines.
    private static let done: Int32 = 99

    /// Send the message on descriptor 0 on as the aliases say.
    ///
    /// - Returns: The exit code, as of a program in a .qmail file.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        guard let options = FastforwardCall(arguments.dropFirst()) else {
            return program.misused()
        }
        Signal.brokenPipe.ignore()
        do throws(DeliveryFailure) {
            do throws(Errno) { try Process.fillStandardDescriptors() } catch {
                throw DeliveryFailure(.temporary, "Unable to open /dev/null. (#4.3.0)")
            }
            return try run(options, Environment.current)
        } catch {
            FileDescriptor.tell(error.line, on: 1)
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
        guard let (alias, targets, name) = try aliases.find(local: local, host: host) else {
            if options.passes { return 0 }
            throw DeliveryFailure(.permanent, "Sorry, no mailbox here by that name. (#5.1.1)")
        }
        var doubts: [[UInt8]] = []
        let expansion = try aliases.expand(alias, targets, doubts: &doubts)
        for doubt in doubts {
            FileDescriptor.tell([UInt8]("fastforward: ") + doubt + [10], on: 1)
        }
        let recipients = try qualified(expansion.addresses, environment)
        let isOwned = try aliases.has([UInt8]("owner-") + name)
        var sender = try value("SENDER", environment)
        if isOwned, !sender.isEmpty, !sender.equals("#@[]") {
            sender = [UInt8]("owner-") + name + [UInt8(ascii: "@")] + host
        }
        if options.isDry {
            tell(expansion, recipients, sender)
        } else {
            try deliver(expansion, alias, recipients, sender, environment)
        }
        return options.passes ? done : 0
    }

    private static func deliver(
        _ expansion: AliasExpansion, _ alias: [UInt8], _ recipients: [[UInt8]], _ sender: [UInt8],
        _ environment: Environment
    ) throws(DeliveryFailure) {
        let message = FileDescriptor(adopting: 0)
        for program in expansion.programs {
            _ = try ProgramDelivery.run(
                program, place: [UInt8]("the alias ") + alias, message: message,
                environment: environment)
        }
        for file in expansion.files {
            let fields = try line("RPLINE", environment) + line("DTLINE", environment)
            try NamedMailbox.deliver(
                message, to: file, fromLine: try line("UFLINE", environment), fields: fields)
        }
        if recipients.isEmpty { return }
        let process = try Forwarding.send(
            message, head: try line("DTLINE", environment), sender: sender, to: recipients,
            environment: environment)
        FileDescriptor.tell(
            [UInt8]("fastforward: qp ") + [UInt8](decimal: process) + [10], on: 1)
    }

    private static func tell(
        _ expansion: AliasExpansion, _ recipients: [[UInt8]], _ sender: [UInt8]
    ) {
        var text = [UInt8]("from <") + sender.singleLine + [UInt8(ascii: ">"), 10]
        for program in expansion.programs {
            text += [UInt8]("program ") + program.singleLine + [10]
        }
        for file in expansion.files { text += [UInt8]("file ") + file.singleLine + [10] }
        for recipient in recipients {
            text += [UInt8]("to <") + recipient.singleLine + [UInt8(ascii: ">"), 10]
        }
        FileDescriptor.tell(text, on: 1)
    }

    /// The addresses, names among them with the machine's own domain.
    ///
    /// The backslash of those that are not to be followed stays at domains of this machine, where qmail-lspawn(8) knows it.
    private static func qualified(
        _ addresses: [[UInt8]], _ environment: Environment
    ) throws(DeliveryFailure) -> [[UInt8]] {
        guard
            addresses.contains(where: {
                $0.first == UInt8(ascii: "\\") || !$0.contains(UInt8(ascii: "@"))
            })
        else { return addresses }
        let control = Control(of: Instance.current(environment))
        let domain: [UInt8]
        let locals: [[UInt8]]
        do throws(ControlFailure) {
            let me = try control.line("me") ?? Process.hostName
            domain = try control.line("envnoathost") ?? me
            locals = try control.lines("locals") ?? [me]
        } catch {
            throw DeliveryFailure(.temporary, words: error.text + [UInt8](" (#4.3.0)"))
        }
        return addresses.map { address in
            let at = address.lastIndex(of: UInt8(ascii: "@"))
            let host = at.map { Array(address[($0 + 1)...]) } ?? domain
            let whole = at == nil ? address + [UInt8(ascii: "@")] + host : address
            let isLocal = locals.contains { $0.lowercased == host.lowercased }
            return whole.first == UInt8(ascii: "\\") && !isLocal ? Array(whole.dropFirst()) : whole
        }
    }

    /// A line that goes before the message, of a variable such as DTLINE: one line whatever is in that.
    private static func line(
        _ name: StaticString, _ environment: Environment
    ) throws(DeliveryFailure) -> [UInt8] {
        var line = try value(name, environment)
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
