/// How a command of qhpsictl(8) ends: its exit codes.
package enum AdminExit: Int32, Sendable {
    /// All is well.
    case well = 0
    /// Something is wrong, and the output says what.
    case problem = 1
    /// The arguments cannot be meant.
    case usage = 100
    /// What was asked cannot be found out, for instance because only root may look.
    case unable = 111
}
