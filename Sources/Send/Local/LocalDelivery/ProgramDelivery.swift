import ByteText
package import Posix

/// A line of a .qmail file that is a command; see qmail-command(8).
package enum ProgramDelivery {
    private static let shell = [UInt8]("/bin/sh")
    /// Exit codes that say that it will never work.
    private static let permanent: [Int32] = [100, 64, 65, 70, 76, 77, 78, 112]
    private static let stops: Int32 = 99

    /// Run it with the message as descriptor 0.
    ///
    /// It is the recipient's own command, and it is run with his rights: by the shell, unless that would do nothing but
    /// run one program by its path. To start a shell takes longer than a whole delivery.
    ///
    /// - Parameters:
    ///   - command: The line.
    ///   - place: Where it stands, for words about it: `line 2 of .qmail`.
    ///   - message: The message, a file.
    ///   - environment: Its variables.
    /// - Returns: Whether the lines that follow count.
    /// - Throws: When it fails; its own words, if any, are on our descriptor 1 or 2, and count before those of the failure.
    package static func run(
        _ command: [UInt8], place: [UInt8], message: borrowing FileDescriptor,
        environment: Environment
    ) throws(DeliveryFailure) -> Bool {
        let ending: Child.Ending
        do throws(Errno) {
            // The child shares the position, which an earlier one has moved.
            try message.seek(to: 0)
            ending = try start(command, message.rawValue, environment).wait()
        } catch {
            throw DeliveryFailure(unable: "run ", shell, error)
        }
        switch ending {
        case .exited(0): return true
        case .exited(stops): return false
        case .exited(let code):
            let isPermanent = permanent.contains(code)
            let text =
                [UInt8]("The program in ") + place + [UInt8](" ended with code ")
                + [UInt8](decimal: code) + [UInt8](" and said nothing. ")
                + [UInt8](isPermanent ? "(#5.3.0)" : "(#4.3.0)")
            throw DeliveryFailure(
                isPermanent ? .permanent : .temporary, ifNothingElse: text)
        case .killed(let signal):
            let text =
                [UInt8]("The program in ") + place + [UInt8](" was ended by signal ")
                + [UInt8](decimal: signal)
            throw DeliveryFailure(.temporary, words: text + [UInt8](". (#4.3.0)"))
        }
    }

    private static func start(
        _ command: [UInt8], _ message: Int32, _ environment: Environment
    ) throws(Errno) -> Child {
        func start(_ words: [[UInt8]]) throws(Errno) -> Child {
            try Launch(
                words[0], arguments: words, environment: environment,
                descriptors: [message, 1, 2]
            ).start()
        }
        if let words = plainWords(command) {
            do throws(Errno) { return try start(words) } catch {
                // The shell can run more than the kernel, and says in its own words what nobody can.
            }
        }
        return try start([shell, [UInt8]("-c"), command])
    }

    /// The words of a command in which nothing means anything to a shell and a program's path comes first; else nil.
    private static func plainWords(_ command: [UInt8]) -> [[UInt8]]? {
        let signs = [UInt8]("/._-+:,@%")
        guard command.first == UInt8(ascii: "/"),
            command.allSatisfy({ $0.isLetter || $0.isDigit || $0 == 32 || signs.contains($0) })
        else { return nil }
        return command.split(separator: 32).map { Array($0) }
    }
}
