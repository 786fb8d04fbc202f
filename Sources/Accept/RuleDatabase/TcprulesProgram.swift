import ByteText
package import CommandLine
import ConnectionRules
import ConstantDatabases
import Posix

/// The program tcprules(1).
package enum TcprulesProgram {
    /// Bytes of rules: some millions of lines.
    private static let inputLimit = 1 << 28

    /// Compile the rules of descriptor 0 into the database that the arguments name.
    ///
    /// - Returns: 0 when the new rules are in force; otherwise the old ones are: 100 for wrong arguments or
    ///   rules, 111 when something could not be done.
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 3, arguments[1] != arguments[2] else {
            return program.misused()
        }
        let rules: [Rule]
        switch readRules(program) {
        case .rules(let read): rules = read
        case .failed(let code): return code
        }
        var records: [(key: [UInt8], data: [UInt8])] = []
        for rule in rules {
            for key in rule.keys { records.append((key, rule.data)) }
        }
        let database = DatabaseReplacement(path: arguments[1], temporary: arguments[2])
        do throws(DatabaseReplacement.Failure) {
            try database.write(records)
            return 0
        } catch {
            return program.fatal(error.text)
        }
    }

    private enum Input {
        case rules([Rule])
        /// The error has been told.
        case failed(Int32)
    }

    private static func readRules(_ program: Program) -> Input {
        let text: [UInt8]
        do throws(Errno) {
            let input = FileDescriptor(adopting: 0)
            text = try input.readToEnd(limit: inputLimit)
            _ = input.release()
        } catch {
            let message = [UInt8]("unable to read input: ") + error.text
            return .failed(program.fatal(message))
        }
        do throws(RuleFlaw) {
            return .rules(try RuleParser.rules(text))
        } catch {
            let message = [UInt8]("unable to parse ") + error.text(file: inputName)
            return .failed(program.fatal(message, Program.permanent))
        }
    }

    /// The file that descriptor 0 is, where /proc tells.
    private static var inputName: [UInt8] {
        do throws(Errno) {
            let path = try Files.linkTarget([UInt8]("/proc/self/fd/0"))
            // Pipes and sockets have no path there.
            return path.first == UInt8(ascii: "/") ? path : [UInt8]("stdin")
        } catch {
            return [UInt8]("stdin")
        }
    }
}
