namespace Quarters.Chroots.Repositories;

/// <summary>pacman refused: a package that nobody provides, a conflict, a file that does not match its database.
/// The build that wanted it fails at the stage <c>dependencies</c> with this message.</summary>
internal sealed class PacmanException(string message, bool ofMachine = false) : Exception(message)
{
    /// <summary>Whether it failed for a reason of this machine, so that another may succeed.</summary>
    internal bool OfMachine => ofMachine;
}

/// <summary>Package files could not be had, or were not what the database says: another try may work.</summary>
internal sealed class PackagesUnavailableException(string message) : Exception(message);
