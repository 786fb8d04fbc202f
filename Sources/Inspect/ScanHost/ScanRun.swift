import ByteText
import Posix

/// One run of qhpsi-host, with a folder for what it unpacks or without.
struct ScanRun {
    let arguments: [[UInt8]]
    let environment: Environment
    let deadline: Deadline
    /// RLIMIT_AS in bytes.
    let memory: UInt

    /// Run it with nothing to unpack.
    func result() throws(ScanFailure) -> SupervisedScanner.Result {
        let supervised = SupervisedScanner(
            arguments, environment: environment, deadline: deadline, memory: memory)
        do throws(Errno) {
            return try supervised.run(message: 0, watched: 1)
        } catch {
            throw ScanFailure(.exec, "unable to run qhpsi-host", error)
        }
    }

    /// Run it with a folder of its own, which is gone when there is a result or none.
    ///
    /// The folder is made where CLAMAV_TMPDIR says, or TMPDIR, or in /tmp; qhpsi-host hands it to the scanner in both, and
    /// lets it read no other message than the one at this path.
    func resultWithScratch(
        _ settings: Environment, message: [UInt8]
    ) throws(ScanFailure) -> SupervisedScanner.Result {
        let place = settings["CLAMAV_TMPDIR"] ?? settings["TMPDIR"] ?? [UInt8]("/tmp")
        guard place.first == UInt8(ascii: "/") else {
            throw ScanFailure(
                .misconfigured, [UInt8]("CLAMAV_TMPDIR or TMPDIR is not an absolute path"))
        }
        let scratch: ScratchFolder
        do throws(Errno) { scratch = try ScratchFolder.made(in: place) } catch {
            throw ScanFailure(.scanner, "unable to make a folder for what is unpacked", error)
        }
        var within = environment
        within.set("CLAMAV_TMPDIR", scratch.path)
        within.set("QHPSI_MESSAGE", message)
        let run = ScanRun(
            arguments: arguments, environment: within, deadline: deadline, memory: memory)
        do throws(ScanFailure) {
            let result = try run.result()
            scratch.remove()
            return result
        } catch {
            scratch.remove()
            throw error
        }
    }
}
