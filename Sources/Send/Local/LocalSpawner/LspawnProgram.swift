import ByteText
import ControlFiles
import DeliverySpawner
import Posix

/// The program qmail-lspawn(8).
package enum LspawnProgram {
    private static let misused: Int32 = 100
    private static let unable: Int32 = 111
    private static let usage: StaticString = "qmail-lspawn: usage: qmail-lspawn defaultdelivery\n"

    /// Take jobs on descriptor 0 and report on descriptor 1 until the jobs end.
    package static func run() -> Int32 {
        let arguments = Process.arguments
        guard arguments.count == 2, !arguments[1].starts(with: "--") else {
            let asksForHelp = arguments.count == 2
            FileDescriptor.tell([UInt8](usage), on: asksForHelp ? 1 : 2)
            return asksForHelp ? 0 : misused
        }
        let environment = Environment.current
        let instance = Instance.current(environment)
        do throws(Errno) { try Process.fillStandardDescriptors() } catch { return unable }
        do throws(ControlFailure) {
            let owner = try MessFile.owner(in: instance)
            let local = LocalSpawner(
                instance, delivery: arguments[1], environment: environment)
            let spawner = DeliverySpawner(
                "qmail-lspawn", jobs: FileDescriptor(adopting: 0),
                reports: FileDescriptor(adopting: 1),
                limit: DeliverySpawner.mostDeliveries, owner: owner,
                start: { local.start($0, message: $1, output: $2) },
                fold: { local.report(code: $1, $2) })
            return serve(spawner)
        } catch {
            return fatal(error.text)
        }
    }

    private static func serve(_ spawner: DeliverySpawner) -> Int32 {
        do throws(Errno) {
            return try spawner.run() ? 0 : unable
        } catch {
            return fatal([UInt8]("unable to wait for deliveries: ") + error.text)
        }
    }

    private static func fatal(_ text: [UInt8]) -> Int32 {
        FileDescriptor.tell([UInt8]("qmail-lspawn: fatal: ") + text + [10], on: 2)
        return unable
    }
}
