import ByteText
import ConnectionRules
import ConstantDatabases
import Posix

/// The program tcprulescheck(1).
package enum TcprulescheckProgram {
    private static let usage: StaticString =
        "tcprulescheck: usage: tcprulescheck [--source rules] rules.cdb\n"
    private static let sourceLimit = 1 << 28

    /// The key of the rule that decides, and its instructions; nil without a rule.
    package typealias Found = (key: [UInt8], data: [UInt8])?

    /// Say what the rules of the database do with the client that the environment describes.
    ///
    /// - Returns: 0; 100 for wrong arguments or a source with a wrong line; 111 when something could not be
    ///   read or the source is not what the database was made from.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        let hasSource = arguments.count == 4 && arguments[1].equals("--source")
        guard hasSource || arguments.count == 2, let path = arguments.last,
            !path.starts(with: "--")
        else { return ToolOutput.usage(usage, arguments: arguments) }
        let environment = Environment.current
        let client = Client(
            address: environment["TCPREMOTEIP"] ?? [UInt8]("0.0.0.0"),
            host: environment["TCPREMOTEHOST"], info: environment["TCPREMOTEINFO"])
        let found: Found
        do throws(Errno) {
            let database = try ConstantDatabase(path: path)
            found = try client.rule { (key) throws(Errno) in try database.data(key) }
        } catch {
            return fail("unable to read ", path, [UInt8](": ") + error.text)
        }
        let code = ToolOutput.write(answer(found), code: 0)
        guard hasSource, code == 0 else { return code }
        return explain(client, found, source: arguments[2], database: path)
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
        _ client: Client, _ found: Found, source: [UInt8], database: [UInt8]
    ) -> Int32 {
        let text: [UInt8]
        do throws(Errno) { text = try Files.contents(source, limit: sourceLimit) } catch {
            return fail("unable to read ", source, [UInt8](": ") + error.text)
        }
        let rules: [Rule]
        do throws(RuleFlaw) { rules = try RuleParser.rules(text) } catch {
            return ToolOutput.fail(
                "tcprulescheck", [UInt8]("unable to parse ") + error.text(file: source),
                code: ToolOutput.misused)
        }
        let deciding = client.rule(of: rules)
        guard deciding?.key == found?.key, deciding?.rule.data == found?.data else {
            return fail("", database, [UInt8](" was not made from ") + source)
        }
        var line = [UInt8]("decided by ")
        if let deciding {
            line += source + [UInt8](":")
            line.append(decimal: deciding.rule.line)
            line += [UInt8](": ") + deciding.rule.text
        } else {
            line += [UInt8]("no line of ") + source
        }
        return ToolOutput.write(line + [10], code: 0)
    }

    private static func fail(_ what: StaticString, _ path: [UInt8], _ reason: [UInt8]) -> Int32 {
        ToolOutput.fail("tcprulescheck", [UInt8](what) + path + reason, code: ToolOutput.unable)
    }
}
