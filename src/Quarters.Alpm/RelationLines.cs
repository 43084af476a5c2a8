using System.Collections;

namespace Quarters.Alpm;

/// <summary>Relations as a database has them, one a line; they are taken apart when somebody asks for the first. A
/// database has a hundred thousand, and most of who reads it asks for none.</summary>
/// <param name="lines">Without an end of line after the last; empty for none. Each is known to be a relation.</param>
internal sealed class RelationLines(string lines) : IReadOnlyList<Relation>
{
    /// <summary>None.</summary>
    public static readonly RelationLines Empty = new("");

    /// <summary>The lines, or the relations in their place: another thread may see either.</summary>
    private volatile object _content = lines.Length == 0 ? Array.Empty<Relation>() : lines;

    public int Count => Relations.Length;

    public Relation this[int index] => Relations[index];

    private Relation[] Relations
    {
        get
        {
            var content = _content;
            if (content is not Relation[] relations)
                _content = relations = Array.ConvertAll(((string)content).Split('\n'), Relation.Parse);
            return relations;
        }
    }

    public IEnumerator<Relation> GetEnumerator() => ((IEnumerable<Relation>)Relations).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
