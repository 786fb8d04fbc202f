import ByteText
import Posix
import ScanProtocol

/// How a scan is run: the variables of qhpsi(8) as values.
struct ScannerSettings {
    let command: ScannerCommand
    /// QHPSITIMEOUT.
    let seconds: Int
    /// QHPSIRC and QHPSIRN.
    let exit: ScannerExit
    /// QHPSIMEMORY: RLIMIT_AS of the scanner in bytes.
    let memory: UInt
    /// QHPSIALERTS is `trust`: clamd's word counts whatever its configuration says.
    let trustsClamd: Bool

    /// libclamav with the official databases needs 1.5 GB.
    static let defaultMemory = 4 << 30

    /// Read the variables.
    ///
    /// - Throws: The reason of a failed scan.
    init(_ environment: Environment) throws(ScanFailure) {
        func number(_ name: StaticString, _ fallback: Int, atMost: Int) throws(ScanFailure) -> Int {
            guard let text = environment[name]?.trimmed, !text.isEmpty else { return fallback }
            guard let number = text.decimalValue, number <= atMost else {
                throw ScanFailure(
                    .misconfigured,
                    [UInt8]("setting ") + [UInt8](name)
                        + [UInt8](" is malformed: expected a number of at most ")
                        + [UInt8](decimal: atMost))
            }
            return number
        }
        guard let value = environment["QHPSI"] else {
            throw ScanFailure(.misconfigured, [UInt8]("QHPSI is not set"))
        }
        do throws(ScannerCommand.Failure) {
            command = try ScannerCommand(value)
        } catch {
            throw ScanFailure(.misconfigured, error.text)
        }
        let asked = try number("QHPSITIMEOUT", 120, atMost: 3600)
        seconds = asked == 0 ? 120 : asked
        var exit = ScannerExit()
        exit.infected = Int32(try number("QHPSIRC", 1, atMost: 255))
        exit.clean = Int32(try number("QHPSIRN", 0, atMost: 255))
        self.exit = exit
        let alerts = environment["QHPSIALERTS"]?.trimmed ?? []
        trustsClamd = alerts.equals("trust")
        guard trustsClamd || alerts.isEmpty || alerts.equals("check") else {
            throw ScanFailure(
                .misconfigured, [UInt8]("setting QHPSIALERTS is malformed: expected check or trust")
            )
        }
        memory = UInt(try number("QHPSIMEMORY", Self.defaultMemory, atMost: 1 << 40))
    }
}
