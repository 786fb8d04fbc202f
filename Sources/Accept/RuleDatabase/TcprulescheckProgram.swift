import ByteText
package import CommandLine
import ConnectionRules
import ConstantDatabases
import Posix

/// The program tcprulescheck(1).
package enum TcprulescheckProgram {
    private static let sourceLimit = 1 << 28

    /// The key of the rule that decides, and its instructions; nil without a rule.
    package typealias Found = (key: [UInt8], data: [UInt8])?

    /// Say what the rules of the database do with the client that the environment describes.
    ///
    /// - Returns: 0; 100 for wrong arguments or a source with a wrong line; 111 when something could not be
    ///   read or the source is not what the database was made from.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        let hasSource = arguments.count == 4 && arguments[1].equals("--source")
        guard hasSource || arguments.count == 2, let path = arguments.last,
            !path.starts(with: "--")
        else { return program.misused() }
        let environment = Environment.current
        let client = Client(
            address: environment["TCPREMOTEIP"] ?? [UInt8]("0.0.0.0"),
            host: environment["TCPREMOTEHOST"], info: environment["TCPREMOTEINFO"])
        let found: Found
        do throws(Errno) {
            let database = try ConstantDatabase(path: path)
            found = try client.rule { (key) throws(Errno) in try database.data(key) }
        } catch {
            return program.fatal([UInt8]("unable to read ") + path + [UInt8](": ") + error.text)
        }
        guard FileDescriptor.tell(answer(found), on: 1) else { return Program.temporary }
        guard hasSource else { return 0 }
        return explain(program, client, found, source: arguments[2], database: path)
    }

    /// What becomes of the connection, in the words of ucspi-tcp's program.
    package static func answer(_ found: Found) -> [UInt8] {
        guard let found else { return [UInt8]("default:\nallow connection\n") }
        var text = [UInt8]("rule ") + found.key + [UInt8](":\n")
        let decision = Decision(found.data)
        for step in decision.steps {
            switch step {
            case .set(let entry): text += [UInt8]("set environment variable ") + entry
            case .unset(let name): text += [UInt8]("unset environment variable ") + name
            }
            text.append("\n")
        }
        text.append(decision.isDenied ? "deny connection\n" : "allow connection\n")
        return text
    }

    /// Print the line of the source that decided.
    private static func explain(
        _ program: Program, _ client: Client, _ found: Found, source: [UInt8], database: [UInt8]
    ) -> Int32 {
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(source, limit: sourceLimit) } catch {
            return program.fatal([UInt8]("unable to read ") + source + [UInt8](": ") + error.text)
        }
        let rules: [Rule]
        do throws(RuleFlaw) { rules = try RuleParser.rules(text) } catch {
            return program.fatal(
                [UInt8]("unable to parse ") + error.text(file: source), Program.permanent)
        }
        let deciding = client.rule(of: rules)
        guard deciding?.key == found?.key, deciding?.rule.data == found?.data else {
            return program.fatal(database + [UInt8](" was not made from ") + source)
        }
        var line = [UInt8]("decided by ")
        if let deciding {
            line += source + [UInt8](":")
            line.append(decimal: deciding.rule.line)
            line += [UInt8](": ") + deciding.rule.text
        } else {
            line += [UInt8]("no line of ") + source
        }
        return FileDescriptor.tell(line + [10], on: 1) ? 0 : Program.temporary
    }
}
