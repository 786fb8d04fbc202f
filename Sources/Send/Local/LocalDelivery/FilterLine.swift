import ByteText
import ControlFiles
import FilterDelivery
import Posix

/// A line of a .qmail file that runs vfilter(8) and nothing else: its work is done here, for starting two programs costs
/// more than the delivery.
enum FilterLine {
    /// A file in tmp/ is taken for abandoned after 36 hours.
    private static let lifetime: UInt32 = 86400

    /// Do what vfilter would.
    ///
    /// - Returns: Whether the lines that follow count, and what it has said; nil when it is another command.
    /// - Throws: When it would end with 100 or 111, in its words.
    static func run(
        _ command: [UInt8], message: borrowing FileDescriptor, environment: Environment
    ) throws(DeliveryFailure) -> (goesOn: Bool, text: [UInt8])? {
        let instance = Instance.current(environment)
        guard let arguments = Vfilter.arguments(of: command, instance) else { return nil }
        Alarm.set(seconds: lifetime)
        let result = Vfilter.run(arguments, environment: environment, message: message)
        Alarm.set(seconds: 0)
        switch result.code {
        case 0: return (true, result.text)
        case 99: return (false, result.text)
        default:
            var words: [UInt8] = []
            for line in result.text.lines { words += (words.isEmpty ? [] : [32]) + line }
            throw DeliveryFailure(result.code == 100 ? .permanent : .temporary, words: words)
        }
    }
}
