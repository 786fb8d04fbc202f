import AdminReport
import ArgumentParser
import ControlFiles
import Posix
import Quarantine

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Look at infected messages that were kept, and release or delete them.",
        subcommands: [List.self, Show.self, Release.self, Delete.self],
        defaultSubcommand: List.self)

    /// What all of them may be told.
    struct Options: ParsableArguments {
        @Option(
            help: "Look into this maildir only; may be given again.", completion: .directory)
        var maildir: [String] = []

        @Flag(help: "Print JSON.")
        var json = false

        var quarantine: Quarantine {
            Quarantine(
                instance: Instance.current(Environment.current),
                maildirs: maildir.map { Array($0.utf8) })
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the messages in quarantine.")

        @OptionGroup var options: Options

        func run() throws {
            let quarantine = options.quarantine
            let report = QuarantineReport(quarantine)
            for failure in quarantine.failures where !options.json { complain(failure) }
            try finish(
                options.json ? report.json.text + "\n" : report.text,
                quarantine.failures.isEmpty ? .well : .unable)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what is known of a message, and its header.")

        @OptionGroup var options: Options
        @Argument(help: "The message's id, or its first 24 digits or more.") var id: String

        func run() throws {
            let quarantine = options.quarantine
            let report = QuarantineReport(quarantine)
            var text = ""
            do throws(QuarantineFailure) {
                let entry = try quarantine.entry(id)
                let header = try quarantine.header(of: entry)
                text =
                    options.json
                    ? report.json(entry, header: header).text + "\n"
                    : report.text(entry, header: header)
            } catch {
                complain(error.text)
                throw ExitCode(error.exit.rawValue)
            }
            try finish(text, .well)
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Queue messages to those they were for, once and unscanned.",
            discussion: "The field X-QHPSI-Released of the message says who released it.")

        @OptionGroup var options: Options
        @Argument(help: "The messages' ids, or their first 24 digits or more.") var id: [String]

        func run() throws {
            try change(id, options, "released") { (quarantine, entry) throws(QuarantineFailure) in
                let recipients = try quarantine.release(
                    entry, by: releaser, at: Clock.seconds)
                return " to "
                    + recipients.first.map { String(printable: $0) }.joined(separator: ", ")
                    + (recipients.more > 0 ? " and \(recipients.more) more" : "")
            }
        }

        /// Who is at the terminal, not who sudo(8) has made of him.
        private var releaser: String {
            let environment = Environment.current
            for name in ["SUDO_USER", "LOGNAME", "USER"] {
                if let value = environment.value(of: Array(name.utf8)), !value.isEmpty {
                    return String(printable: value)
                }
            }
            return "uid \(Process.realUser)"
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete messages for good.")

        @OptionGroup var options: Options
        @Argument(help: "The messages' ids, or their first 24 digits or more.") var id: [String]

        func run() throws {
            try change(id, options, "deleted") { (quarantine, entry) throws(QuarantineFailure) in
                try quarantine.delete(entry)
                return ""
            }
        }
    }
}

/// Do the same to each message, and end with the worst that came of it.
private func change(
    _ ids: [String], _ options: QuarantineCommand.Options, _ word: String,
    _ body: (Quarantine, QuarantineEntry) throws(QuarantineFailure) -> String
) throws {
    let quarantine = options.quarantine
    var worst = AdminExit.well
    var results: [JSONValue] = []
    var text = ""
    for id in ids {
        do throws(QuarantineFailure) {
            text +=
                "quarantine: \(word) \(id)" + (try body(quarantine, quarantine.entry(id))) + "\n"
            results.append(.object([("id", .string(id)), ("state", .string(word))]))
        } catch {
            if options.json {
                results.append(.object([("id", .string(id)), ("failure", .string(error.text))]))
            } else {
                complain(error.text)
            }
            if error.exit.rawValue > worst.rawValue { worst = error.exit }
        }
    }
    try finish(options.json ? JSONValue.list(results).text + "\n" : text, worst)
}

extension QuarantineFailure {
    fileprivate var exit: AdminExit { isAnswer ? .problem : .unable }
}

private func complain(_ text: String) {
    FileDescriptor.tell(Array("qhpsictl: \(text)\n".utf8), on: 2)
}
